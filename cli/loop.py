"""Commands of the loop: `watch` and `history`."""

from typing import Annotated

import typer

from cli.app import app
from cli.options import DEFAULT_CONFIG, Config, Stack
from cli.session import begin, screen, show, use_own_workspace


@app.command(short_help="Look again and again, and act on what is found.")
def watch(
    config: Config = DEFAULT_CONFIG,
    stack: Stack = None,
    every: Annotated[
        str | None, typer.Option("--every", help="Time between two looks: 30m, 1h, 1d; default: loop.every.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once and end, as for cron.")] = False,
    labels: Annotated[
        str | None, typer.Option("--labels", help="CSV or Parquet with true labels, read at each look (path or URL).")
    ] = None,
) -> None:
    """Monitor the service at intervals and act: alert, ask for labels, retrain, roll out, roll back.

    The section `loop` of the use case says what is done by itself and what is only proposed. One process watches a use
    case; a second one says so and ends. It goes on where it stopped after a restart, also after `kill -9`.

    Example: python run.py watch --config configs/telco_churn.yaml --every 1h
    """
    use_case = begin(config, "Watching", stack)
    from app.commands.watch import watch as command

    show(command(use_case, stack, every=every, once=once, labels=labels))


@app.command(short_help="What the loop decided and did, with its evidence.")
def history(
    config: Config = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most decisions that are shown.")] = 10,
    everything: Annotated[bool, typer.Option("--all", help="Also decisions to do nothing.")] = False,
    stack: Stack = None,
) -> None:
    """The latest decisions of `watch` with their evidence, what came of them, and the runs in ZenML and MLflow.

    Example: python run.py history --config configs/telco_churn.yaml --limit 3
    """
    use_case = begin(config, None, stack)
    from app.commands.history import history as command

    show(command(use_case, limit=limit, everything=everything))


@app.command(short_help="A past period, hour by hour, with the loop at work.")
def replay(
    since: Annotated[str, typer.Option("--from", help="First day of the period: 2013-03-01.")],
    until: Annotated[str, typer.Option("--to", help="The day after its last.")],
    config: Config = DEFAULT_CONFIG,
    every: Annotated[str, typer.Option("--every", help="Time between two looks of the loop, such as 7d.")] = "7d",
    stack: Stack = None,
) -> None:
    """Train on what came before a period, ask the deployed service about it hour by hour, and let the loop act.

    Each label comes when it would have been known. At the end, what the loop brought in stands beside other ways to
    retrain on the same cases: never, by calendar, on an alarm, and the best moments in hindsight. It has a workspace of
    its own, and leaves a running service alone.

    Example: python run.py replay --config configs/flight_delays.yaml --from 2013-03-01 --to 2013-12-31
    """
    use_own_workspace(config)
    use_case = begin(config, "Replay", stack)
    from app.commands.replay import replay as command

    show(command(use_case, stack, since=since, until=until, every=every, title=screen().title))
