"""Commands on use-case files: `config migrate`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import app
from cli.session import begin_without_case, show

config_app = typer.Typer(help="The YAML files of use cases.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(config_app, name="config", short_help="The YAML files of use cases: migrate.")


@config_app.command("migrate")
def migrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The use case: one YAML file.")],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if something would change.")
    ] = False,
) -> None:
    """Give the keys of a use case their new names. Comments and layout stay. Safe to repeat.

    Example: python run.py config migrate configs/my.yaml
    """
    begin_without_case(None)
    from app.commands.config import migrate as command

    result = command(file, write=not check)
    show(result)
    if check and result.facts:
        raise typer.Exit(1)
