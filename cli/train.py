"""Commands that train: `train`, `cycle`, `demo`."""

from typing import Annotated

import typer

from cli.app import app
from cli.options import DEFAULT_CONFIG, Config, Stack
from cli.session import begin, screen, show


@app.command(short_help="One whole turn on real data; stops what it started.")
def demo(
    config: Config = DEFAULT_CONFIG,
    stack: Stack = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the service and the dashboards running.")] = False,
) -> None:
    """One whole turn on real data: train, deploy, predict over HTTP, label, monitor. Stops what it started.

    Example: python run.py demo --keep
    """
    use_case = begin(config, "Demo: one turn of the wheel", stack)
    from app.commands.demo import demo as command

    show(command(use_case, stack, keep=keep, title=screen().title))


@app.command(short_help="Train, judge, promote what beats champion and rules.")
def train(
    config: Config = DEFAULT_CONFIG,
    stack: Stack = None,
    again: Annotated[bool, typer.Option("--again", help="Train even if nothing has changed since last time.")] = False,
    now: Annotated[
        str | None,
        typer.Option("--now", help="Learn from the cases and labels known at this time (ISO 8601, UTC by default)."),
    ] = None,
) -> None:
    """Train, tune and judge all candidates; promote the winner if it beats the champion and the rules.

    On the data, configuration and code of the last training it says so, and trains only with --again.

    Example: python run.py train --config configs/telco_churn.yaml --stack local
    """
    use_case = begin(config, "Training", stack)
    from app.commands.train import train as command

    show(command(use_case, stack, again=again, now=now))


@app.command(short_help="Train, deploy and monitor with one config.")
def cycle(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Train, deploy and monitor with one config; the same as `python run.py --config FILE`.

    Example: python run.py cycle --config configs/bike_demand.yaml
    """
    use_case = begin(config, "One turn of the wheel", stack)
    from app.commands.cycle import cycle as command

    show(command(use_case, stack, title=screen().title))
