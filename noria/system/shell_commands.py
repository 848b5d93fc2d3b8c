"""Commands that are printed for people to copy: a shell reads any value in them as one word."""

import shlex


def shell_command(*words: object) -> str:
    """A command of these words, quoted where a shell would read them as something else.

    >>> shell_command("docker", "logs", "my service")
    "docker logs 'my service'"
    """
    return shlex.join(str(word) for word in words)


def run_py(command: str, *words: object) -> str:
    """A command of Noria on the same use case and stack.

    Args:
        command: as it is typed, such as `deploy` or `demo --keep`.
        words: what follows; values that come from outside belong here, for only they are quoted.

    >>> run_py("stack check", "my stack")
    "python run.py stack check 'my stack'"
    """
    return f"python run.py {command}" + (f" {shell_command(*words)}" if words else "")


def source_variables(file: object) -> str:
    """The command that sets the environment variables in a file for a shell and what it starts.

    >>> source_variables("out/my server.env")
    "set -a; . 'out/my server.env'; set +a"
    """
    return f"set -a; {shell_command('.', file)}; set +a"
