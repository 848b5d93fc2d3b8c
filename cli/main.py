"""Runs one command, `python run.py COMMAND --config FILE`, and says how it ended. Heavy imports wait."""

import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

import cli.config
import cli.data
import cli.loop
import cli.platform
import cli.serve
import cli.stacks
import cli.train
from cli.app import app
from cli.options import Stack
from cli.session import screen

__all__ = ["app", "main"]

_ORDER = (
    "demo new explore train deploy predict monitor watch history replay label cycle status",
    "traffic promote rollback forget stop dashboard",
    "platform image images",
)
_PLACES = {name: place for place, name in enumerate(" ".join(_ORDER).split())}
app.registered_commands.sort(key=lambda command: _PLACES[getattr(command.callback, "__name__", "")])


@app.callback(invoke_without_command=True)
def noria(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Without a command: run the whole cycle.")
    ] = None,
    stack: Stack = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and the tools' own logs.")] = False,
) -> None:
    """From a table and one YAML file to a prediction service that watches itself.

    \b
    python run.py new --data my.csv --target label      write a use case for your table
    python run.py train --config configs/my.yaml        find the best model that beats your rules
    python run.py deploy --config configs/my.yaml       serve it on http://127.0.0.1:3000
    python run.py monitor --config configs/my.yaml      is it still right?
    python run.py --config configs/my.yaml              all three: one turn of the wheel
    """
    if context.invoked_subcommand is not None:
        # options before the command count for the command
        given = {name: value for name, value in (("config", config), ("stack", stack)) if value is not None}
        context.default_map = {context.invoked_subcommand: given}
        return
    if config is None:
        typer.echo(context.get_help())
        return
    cli.train.cycle(config, stack)


def main() -> None:
    """Run one command. Errors are shown without a traceback, and the exit code says what it was.

    0: done. 1: an unforeseen error. 2: an error that the user can correct. 130 and the like: stopped by a signal.
    """
    from noria.system.signals import Stopped, stop_on_signals

    # `--debug` is understood anywhere on the line
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv[1:])
    try:
        with stop_on_signals():
            app(args=arguments)
    except (Exception, Stopped) as error:
        if debug:
            traceback.print_exc()
        sys.exit(_explain(error))


def _explain(error: BaseException) -> int:
    """Tell what ended the command; returns the exit code."""
    from noria.system.errors import NoriaError
    from noria.system.signals import stop_requested

    stop = stop_requested()
    if stop is not None:
        screen().stopped("Nothing is left half done. The same command takes finished steps from the cache.")
        return stop.exit_code
    if isinstance(error, NoriaError):
        screen().error(error)
        return 2
    screen().unexpected(error)
    return 1
