"""`stack`: register, check, choose and remove the stacks that pipelines run on."""

import os
from pathlib import Path

from app.command_result import CommandResult
from noria.system.shell_commands import run_py, source_variables


def list_all() -> CommandResult:
    """The stacks that have a file or are registered."""
    from app.stacks.registration import list_stacks

    found = list_stacks()
    facts = [(each.name, f"{each.orchestrator}, {each.state}{', in use' if each.is_active else ''}") for each in found]
    return CommandResult("Stacks", [*facts], ["python run.py stack check NAME", "python run.py stack use NAME"])


def up(name: str) -> CommandResult:
    """Register a stack as its file says.

    Raises:
        NoriaError: the file is wrong, a variable is not set, or ZenML refuses a setting.
    """
    from app.stacks.registration import register_stack

    changes = register_stack(name)
    headline = f"`{name}` is registered as its file says." if changes else f"`{name}` is as its file says."
    facts = [("changed", each) for each in changes]
    return CommandResult(headline, [*facts], [run_py("stack check", name), run_py("train --stack", name)])


def check(name: str) -> tuple[CommandResult, list[tuple[str, str]]]:
    """The preflight; also returns what is wrong and how to fix it.

    Raises:
        NoriaError: there is no file of that name, or it is malformed.
    """
    from app.stacks.preflight.preflight import check as preflight

    found = [(each.what, each.fix) for each in preflight(name)]
    if not found:
        return CommandResult(f"`{name}` is ready.", [], [run_py("train --stack", name)]), []
    problems = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    return CommandResult(f"`{name}`: {problems}.", [], [run_py("stack check", name)]), found


def server(url: str, output: Path) -> CommandResult:
    """Make a fresh ZenML server ready.

    Raises:
        NoriaError: it cannot be reached, or refuses.
    """
    from app.servers.zenml_server import PASSWORD, set_up

    facts = [("done", each) for each in set_up(url, output, os.environ.get(PASSWORD, ""))]
    headline = "The server is ready." if facts else f"The server was ready; its key is in {output}."
    return CommandResult(headline, [*facts], [source_variables(output), "python run.py stack check NAME"])


def use(name: str) -> tuple[CommandResult, list[tuple[str, str]]]:
    """Let commands without --stack use a stack, if its preflight finds nothing; also returns what it finds.

    Raises:
        NoriaError: there is no such stack, or it cannot be registered.
    """
    from app.environment import zenml_client
    from app.stacks import stacks
    from app.stacks.registration import use_stack

    if name in stacks.stack_files():
        _, problems = check(name)
        if name not in stacks.registered_stacks(zenml_client()):
            problems = [(what, fix) for what, fix in problems if fix != run_py("stack up", name)]
        if problems:
            headline = f"`{name}` is not ready, and not in use."
            return CommandResult(headline, [], [run_py("stack use", name)]), problems
    use_stack(name)
    return CommandResult(f"`{name}` is in use.", [], ["python run.py train"]), []


def down(name: str) -> CommandResult:
    """Remove a stack from ZenML.

    Raises:
        NoriaError: it is in use, or ZenML refuses.
    """
    from app.stacks.registration import remove_stack

    facts = [("removed", each) for each in remove_stack(name)]
    return CommandResult(f"`{name}` is removed.", [*facts], [run_py("stack up", name)])
