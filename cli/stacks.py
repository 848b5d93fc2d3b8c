"""Commands on stacks: `stack list`, `up`, `check`, `server`, `use`, `down`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import app
from cli.options import StackName
from cli.session import begin_without_case, screen, show

if TYPE_CHECKING:
    from app.command_result import CommandResult

stack_app = typer.Typer(
    help="Where pipelines run: the stacks in configs/stacks.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(stack_app, name="stack", short_help="Where pipelines run: list, up, check, use, down, server.")


@stack_app.command("list")
def list_stacks() -> None:
    """The stacks that have a file or are registered, and which one is in use.

    Example: python run.py stack list
    """
    begin_without_case(None)
    from app.commands.stack import list_all as command

    show(command())


@stack_app.command("up")
def stack_up(name: StackName) -> None:
    """Register a stack in ZenML as its file says, and change what differs. Safe to repeat.

    Example: python run.py stack up local
    """
    begin_without_case(f"Stack {name}")
    from app.commands.stack import up as command

    show(command(name))


@stack_app.command("check")
def stack_check(name: StackName) -> None:
    """The preflight: all that is missing or wrong, and how to fix it, before anything is submitted.

    Example: python run.py stack check local
    """
    begin_without_case(f"Checking stack {name}")
    from app.commands.stack import check as command

    _show_checked(*command(name))


@stack_app.command("server")
def stack_server(
    url: Annotated[str, typer.Argument(metavar="URL", help="The ZenML server's address.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write its address and a key for Noria, for you alone.")
    ] = Path("zenml.env"),
) -> None:
    """Make a fresh ZenML server ready: an administrator, an account for Noria, its key. Safe to repeat.

    NORIA_ZENML_PASSWORD in the environment becomes the administrator's password.

    Example: python run.py stack server http://localhost:8080
    """
    begin_without_case(f"ZenML server {url}")
    from app.commands.stack import server as command

    show(command(url, output))


@stack_app.command("use")
def stack_use(name: StackName) -> None:
    """Let commands without --stack use this one, as `zenml stack set` does, once its preflight finds nothing.

    Example: python run.py stack use local
    """
    begin_without_case(None)
    from app.commands.stack import use as command

    _show_checked(*command(name))


@stack_app.command("down")
def stack_down(name: StackName) -> None:
    """Take a stack out of ZenML, with the components that no other stack has. What they hold, stays.

    Example: python run.py stack down local
    """
    begin_without_case(None)
    from app.commands.stack import down as command

    show(command(name))


def _show_checked(result: "CommandResult", problems: list[tuple[str, str]]) -> None:
    if problems:
        screen().problems(result.headline, problems, following=result.next)
        raise typer.Exit(2)
    show(result)
