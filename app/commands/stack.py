"""`stack`: register, check, choose and remove the stacks that pipelines run on."""

import os
from pathlib import Path

from app.commands.result import CommandResult


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
    return CommandResult(
        headline, [*facts], [f"python run.py stack check {name}", f"python run.py train --stack {name}"]
    )


def check(name: str) -> tuple[CommandResult, list[tuple[str, str]]]:
    """The preflight; also returns what is wrong and how to fix it.

    Raises:
        NoriaError: there is no file of that name, or it is malformed.
    """
    from app.stacks.preflight.preflight import check as preflight

    found = [(each.what, each.fix) for each in preflight(name)]
    if not found:
        return CommandResult(f"`{name}` is ready.", [], [f"python run.py train --stack {name}"]), []
    problems = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    return CommandResult(f"`{name}`: {problems}.", [], [f"python run.py stack check {name}"]), found


def server(url: str, output: Path) -> CommandResult:
    """Make a fresh ZenML server ready.

    Raises:
        NoriaError: it cannot be reached, or refuses.
    """
    from app.servers.zenml_server import PASSWORD, set_up

    facts = [("done", each) for each in set_up(url, output, os.environ.get(PASSWORD, ""))]
    headline = "The server is ready." if facts else f"The server was ready; its key is in {output}."
    return CommandResult(headline, [*facts], [f"set -a; . {output}; set +a", "python run.py stack check NAME"])


def use(name: str) -> CommandResult:
    """Let commands without --stack use a stack.

    Raises:
        NoriaError: there is no such stack, or it cannot be registered.
    """
    from app.stacks.registration import use_stack

    use_stack(name)
    return CommandResult(f"`{name}` is in use.", [], ["python run.py train"])


def down(name: str) -> CommandResult:
    """Remove a stack from ZenML.

    Raises:
        NoriaError: it is in use, or ZenML refuses.
    """
    from app.stacks.registration import remove_stack

    facts = [("removed", each) for each in remove_stack(name)]
    return CommandResult(f"`{name}` is removed.", [*facts], [f"python run.py stack up {name}"])
