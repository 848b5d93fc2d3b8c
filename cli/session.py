"""What a command needs before it starts: the screen, the environment and the use case; and how it ends."""

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.commands.result import CommandResult
    from cli.console import Screen
    from noria.config import UseCase


def screen() -> "Screen":
    """The one screen of this process; it shows progress from now on."""
    found = _screen()
    found.follow_progress()
    return found


def begin(config: Path, title: str | None) -> "UseCase":
    """Read the use case and prepare the environment.

    Args:
        config: the use case's file.
        title: what the command does, as a headline over its progress; None: no headline.

    Raises:
        NoriaError: the file is wrong.
    """
    from noria.config import load_use_case

    screen()  # warnings about the file are shown
    use_case = load_use_case(config)
    begin_without_case(None if title is None else f"{title}: {use_case.name}")
    return use_case


def begin_without_case(title: str | None) -> None:
    """Prepare the environment of a command that needs no use case."""
    from app.environment import prepare_environment

    found = screen()
    prepare_environment(debug="--debug" in sys.argv)
    if title is not None:
        found.title(title)


def show(result: "CommandResult", config: Path | None = None, stack: str | None = None) -> None:
    """Print how a command ended; its next commands name the same use case and stack."""
    from app.commands.result import OPTIONS

    options = "" if config is None else f"--config {config}" + (f" --stack {stack}" if stack else "")
    facts = [
        (name, value.replace(OPTIONS, options) if isinstance(value, str) else value) for name, value in result.facts
    ]
    screen().result(result.headline, facts, following=result.next_commands(options))


@cache
def _screen() -> "Screen":
    from cli.console import Screen

    return Screen()
