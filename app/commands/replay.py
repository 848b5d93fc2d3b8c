"""`replay`: a past period, asked of a deployed service hour by hour, with the loop at work."""

import json
import math
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.command_result import CommandResult, Facts, run_py
from app.commands.deploy import deploy
from app.commands.given_time import given_interval
from app.commands.pipeline_runs import read_with_rules, save_report
from app.commands.train import run_training
from app.loop.replay import Replay
from app.serving.backend import backend_of
from app.stacks.registration import stack_for_one_run
from noria.config import UseCase
from noria.config.data import SourceConfig
from noria.config.loop import LoopActions, RolloutRoute
from noria.loop.replay import (
    PeriodModels,
    Schedule,
    ServedAnswers,
    World,
    compare_worlds,
    fit_models,
    on_drifted_columns,
)
from noria.loop.replay.schedule import period_starts, utc_stamps
from noria.reporting import number
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.times import utc_unless_given
from noria.system.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from noria.bundle import Bundle

_FLUSH_INTERVAL_MS = 20


def replay(
    use_case: UseCase, stack: str | None, *, since: str, until: str, every: str, title: Callable[[str], None]
) -> CommandResult:
    """Train on what came before a period, deploy, ask about the period hour by hour, and compare ways to retrain.

    Args:
        use_case: binary or regression, with `data.time`.
        stack: where pipelines run; it must serve on this machine.
        since: the first day of the period (ISO 8601).
        until: the day after its last (ISO 8601).
        every: time between two looks, such as 7d.
        title: is called with the name of each part when it begins.

    Raises:
        NoriaError: the period is wrong, the use case has no time, or a part failed; the service is stopped then.
    """
    interval = given_interval(every)
    begin, end = _day(since, "--from"), _day(until, "--to")
    _require_replayable(use_case, stack, begin, end)
    whole = _whole_table(use_case)
    schedule = Schedule.of(whole, use_case, begin, end)
    if not schedule.was_sorted:
        progress.warn("the table is not in the order of its times; its cases are asked in that order all the same")
    starts = period_starts(begin, end, interval)
    case = replayed_case(use_case, begin)
    title("Training on what came before")
    run_training(case, stack)
    first = _champion(case, stack)
    backend = backend_of(stack)
    try:
        title("Deploying")
        deploy(case, stack)
        title(f"Asking about {len(schedule):,} cases, hour by hour")
        replayed = Replay(case, stack, backend.url(case), schedule)
        replayed.run(starts[1:])
    finally:
        backend.stop(case, lambda _: True)
    title("Comparing with other ways to retrain")
    from noria.data.period import within

    learned = within(whole, case.data)
    models = fit_models(first, _recipe(first, case, stack), learned, schedule, case, starts=starts)
    served = _served(replayed, models, schedule, case, _champion(case, stack))
    known = np.searchsorted(utc_stamps(starts), schedule.known)
    inputs = first.manifest.schema_.names
    drifted = on_drifted_columns(models, learned[inputs], schedule.frame[inputs], known)
    worlds = compare_worlds(models, served, case, known, price=case.loop.price, drifted=drifted)
    return _result(worlds, starts, case, len(schedule))


def replayed_case(use_case: UseCase, since: datetime) -> UseCase:
    """The use case as it is trained and served in a replay: on earlier rows, with the loop free to act at once."""
    data = use_case.data
    until = since if data.until is None else min(since, data.until.replace(tzinfo=data.until.tzinfo or UTC))
    sources = data.sources
    if all(source.kind == "table" for source in sources):
        sources = [*sources, SourceConfig(name="replayed", kind="predictions")]
    split = use_case.split
    if split.cutoff is not None and split.cutoff.replace(tzinfo=split.cutoff.tzinfo or UTC) >= since:
        split = split.model_copy(update={"cutoff": None})
    actions = {"retrain", "shadow", "canary", "promote", "roll_back", "fall_back_to_rules"}
    loop = use_case.loop.model_copy(
        update={
            "actions": LoopActions.model_validate(dict.fromkeys(actions, "do")),
            "route": RolloutRoute(shadow_hours=0, canary=False),
        }
    )
    spool = use_case.serving.spool.model_copy(update={"flush_interval_ms": _FLUSH_INTERVAL_MS})
    return use_case.model_copy(
        update={
            "data": data.model_copy(update={"until": until, "sources": sources}),
            "split": split,
            "loop": loop,
            "monitoring": use_case.monitoring.model_copy(update={"evidently": False}),  # its pages are for people
            # one worker knows all earlier cases at once; labels come within milliseconds of their predictions
            "serving": use_case.serving.model_copy(update={"port": _free_port(), "workers": 1, "spool": spool}),
        }
    )


def _require_replayable(use_case: UseCase, stack: str | None, since: datetime, until: datetime) -> None:
    if since >= until:
        raise NoriaError(
            "the period ends before it begins",
            code="replay.period_empty",
            where="--from, --to",
            fix="give a first day and a later one",
        )
    if use_case.problem.task == "multiclass":
        raise NoriaError(
            "a replay compares binary and regression cases",
            code="replay.task_unsupported",
            where="problem.task",
            fix="replay a use case with another task",
        )
    if not backend_of(stack).is_local:
        raise NoriaError(
            "a replay serves on this machine, but the service of this stack is remote",
            code="replay.needs_local_stack",
            where=f"stack `{stack}`" if stack else "the stack in use",
            fix="python run.py replay --stack local",
        )


def _day(text: str, option: str) -> datetime:
    try:
        return utc_unless_given(text).astimezone(UTC)
    except ValueError as error:
        raise NoriaError(
            f"{text!r} is not a day", code="replay.day_invalid", where=option, fix="write it as 2013-03-01"
        ) from error


def _whole_table(use_case: UseCase) -> "pd.DataFrame":
    """All valid rows of the table, those of the replayed period, too, with their history features."""
    from noria.data.validation import validate
    from noria.history import add_history

    tables = [source for source in use_case.data.sources if source.kind == "table"]
    data = use_case.data.model_copy(update={"since": None, "until": None, "window": "all", "sources": tables})
    case, table = read_with_rules(use_case.model_copy(update={"data": data}))
    return add_history(validate(table, case).frame, case)


def _champion(use_case: UseCase, stack: str | None) -> "Bundle":
    from steps.shared.champion import require_champion

    with stack_for_one_run(stack):
        return require_champion(use_case.name)


def _recipe(first: "Bundle", use_case: UseCase, stack: str | None) -> "Bundle":
    """The model whose recipe the other ways to retrain use."""
    from steps.shared.model_versions import find_bundle

    if first.manifest.kind != "rules":
        return first
    with stack_for_one_run(stack):
        model = find_bundle(use_case.name, first.manifest.version)
    progress.warn(
        "the rules win at the start, and they learn nothing: the other ways to retrain put the model in their place "
        f"that was trained beside them ({model.manifest.kind})"
    )
    return model


def _served(
    replayed: Replay, models: PeriodModels, schedule: Schedule, use_case: UseCase, last: "Bundle"
) -> ServedAnswers:
    from noria.metrics.decision_value import binary_worth, regression_worth

    problem = use_case.problem
    if problem.task == "binary":
        worth = binary_worth(problem.worth, models.truth == 1, replayed.decisions)
    elif problem.task == "regression":
        worth = regression_worth(problem.worth, models.truth, replayed.scores)
    else:
        raise AssertionError("checked before")
    newest = [replayed.versions[models.period == period] for period in range(models.periods)]
    in_service = [str(each[-1]) if len(each) else "" for each in newest]
    moments = tuple(place for place in range(1, len(in_service)) if in_service[place] != in_service[place - 1])
    learned = last.manifest.learned
    return ServedAnswers(
        scores=replayed.scores,
        worth=np.where(np.isfinite(replayed.scores), worth, np.nan),
        moments=moments,
        retrainings=replayed.retrainings,
        labels=0 if learned is None else learned.rows,
    )


def _result(worlds: list[World], starts: list[datetime], use_case: UseCase, cases: int) -> CommandResult:
    from noria.loop.replay.replay_report import headline, replay_report

    page = replay_report(worlds, starts, use_case, cases)
    report: Path = save_report(page, Workspace(use_case.name).reports / "replay.html")
    figures = report.with_suffix(".json")
    write_text(figures, json.dumps({"cases": cases, "worlds": [_plain(world) for world in worlds]}, indent=1))
    metric = use_case.evaluation.metric
    facts: Facts = [
        (
            world.name,
            f"worth {world.worth:,.0f}, share {number(world.share, 2)}, {metric} {world.metric:.4g}, "
            f"{world.retrainings} retrainings, {world.labels:,} labels",
        )
        for world in worlds
    ]
    facts += [("report", report), ("figures", figures)]
    return CommandResult(headline(worlds), facts, [f"open {report}", run_py("history")])


def _plain(world: World) -> dict[str, object]:
    """As JSON has it: what is not known is null."""
    found = {name: value for name, value in vars(world).items() if name != "by_period"}
    numbers = {name: value for name, value in found.items() if isinstance(value, float)}
    unknown = {name: None for name, value in numbers.items() if not math.isfinite(value)}
    return {**found, **unknown, "by_period": world.by_period.tolist()}


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
