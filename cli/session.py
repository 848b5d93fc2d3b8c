"""What a command needs before it starts: the screen, the environment and the use case; and how it ends."""

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.command_result import CommandResult
    from cli.console import Screen
    from noria.config import UseCase


def screen() -> "Screen":
    """The one screen of this process; it shows progress from now on."""
    found = _screen()
    found.follow_progress()
    return found


def begin(config: Path, title: str | None, stack: str | None = None) -> "UseCase":
    """Read the use case and prepare the environment.

    Args:
        config: the use case's file.
        title: what the command does, as a headline over its progress; None: no headline.
        stack: the stack that the command was given; the commands that are printed name it, too.

    Raises:
        NoriaError: the file is wrong.
    """
    from app.environment import command_hints, remember_config
    from noria.config import load_use_case

    screen().hints = command_hints(str(config), stack)  # the file may have errors or warnings to tell
    use_case = load_use_case(config)
    remember_config(use_case.name, str(config), stack)
    _prepare(None if title is None else f"{title}: {use_case.name}")
    return use_case


def use_own_workspace(config: Path) -> None:
    """Give this command a new workspace within that of the user, so that it touches nothing that runs."""
    import os
    from datetime import UTC, datetime

    from noria.system.workspace import home

    os.environ["NORIA_HOME"] = str(home() / "replays" / f"{config.stem}_{datetime.now(UTC):%Y-%m-%d_%H%M%S}")


def begin_without_case(title: str | None) -> None:
    """Prepare the environment of a command that needs no use case."""
    from app.environment import command_hints

    screen().hints = command_hints()
    _prepare(title)


def _prepare(title: str | None) -> None:
    from app.environment import prepare_environment

    prepare_environment(debug="--debug" in sys.argv)
    if title is not None:
        screen().title(title)


def show(result: "CommandResult") -> None:
    """Print how a command ended; its next commands name the same use case, stack and workspace."""
    screen().result(result.headline, result.facts, following=result.next)


@cache
def _screen() -> "Screen":
    from cli.console import Screen

    return Screen()
