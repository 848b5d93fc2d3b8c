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
    use_case = begin(config, "Demo: one turn of the wheel")
    from app.commands.demo import demo as command

    show(command(use_case, stack, keep=keep, title=screen().title), config, stack)


@app.command(short_help="Train, judge, promote what beats champion and rules.")
def train(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Train, tune and judge all candidates; promote the winner if it beats the champion and the rules.

    Example: python run.py train --config configs/telco_churn.yaml --stack local
    """
    use_case = begin(config, "Training")
    from app.commands.train import train as command

    show(command(use_case, stack), config, stack)


@app.command(short_help="Train, deploy and monitor with one config.")
def cycle(config: Config = DEFAULT_CONFIG, stack: Stack = None) -> None:
    """Train, deploy and monitor with one config; the same as `python run.py --config FILE`.

    Example: python run.py cycle --config configs/bike_demand.yaml
    """
    use_case = begin(config, "One turn of the wheel")
    from app.commands.cycle import cycle as command

    show(command(use_case, stack, title=screen().title), config, stack)
