"""Schedules: runs that a stack's orchestrator begins by itself."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from app.environment import hints_of
from app.runs.launch import PipelineRun
from app.runs.run_options import merged, pipeline_options
from app.runs.step_containers import MountedFiles
from app.runs.tracking import tracking_options
from app.stacks.kube_contexts import refuse_another
from app.stacks.registration import stack_for_one_run
from noria.system import progress
from noria.system.errors import NoriaError

_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


def cron_of(interval: timedelta) -> str:
    """The cron expression (UTC) of an interval that divides an hour or a day, or is a day or a week.

    Raises:
        NoriaError: no cron expression means this interval.

    >>> cron_of(timedelta(minutes=15)), cron_of(timedelta(hours=6)), cron_of(timedelta(days=7))
    ('*/15 * * * *', '0 */6 * * *', '0 0 * * 0')
    """
    minutes = interval // timedelta(minutes=1)
    if interval == _WEEK:
        return "0 0 * * 0"
    if interval == _DAY:
        return "0 0 * * *"
    if interval == _HOUR:
        return "0 * * * *"
    if interval < _HOUR and timedelta(minutes=minutes) == interval and 60 % minutes == 0:
        return "* * * * *" if minutes == 1 else f"*/{minutes} * * * *"
    if _HOUR < interval < _DAY and not interval % _HOUR and not _DAY % interval:
        return f"0 */{interval // _HOUR} * * *"
    raise NoriaError(
        f"no schedule has an interval of {interval}",
        code="pipelines.interval_not_schedulable",
        where="--every",
        fix="take one that divides an hour or a day, such as 15m, 1h or 6h, or 1d or 7d",
    )


def schedule(
    pipeline: Callable[..., PipelineRun], *, stack: str | None, model: str, cron: str, **parameters: object
) -> tuple[str, str]:
    """Have a stack's orchestrator run a pipeline about the champion of a model again and again.

    A schedule of the same pipeline and model is replaced.

    Args:
        pipeline: the pipeline.
        stack: name of a stack; None: the active one.
        model: name of the model.
        cron: when it runs, in UTC.
        parameters: what the pipeline takes.

    Returns:
        The names of the schedule and of the stack.

    Raises:
        NoriaError: the stack's orchestrator knows no schedules, or nothing has been promoted yet.
    """
    from zenml import Model
    from zenml.client import Client
    from zenml.config.schedule import Schedule

    from steps.shared.champion import require_champion_version
    from steps.shared.run_hints import HINTS

    flow = str(pipeline.name)  # type: ignore[attr-defined]
    name = schedule_name(flow, model)
    progress.tick("starting ZenML")
    with stack_for_one_run(stack) as chosen:
        _require_schedules(chosen)
        require_champion_version(model)
        refuse_another(Client(), chosen)
        progress.stage("stack", chosen)
        run = f"{flow}-{model}-{{date}}-{{time}}-scheduled"  # ZenML fills in when each run begins
        options: dict[str, Any] = {
            "run_name": run,
            "model": Model(name=model, version="production"),
            "extra": {HINTS: asdict(hints_of(model))},
        }
        with pipeline_options(chosen, flow, run=run, model=model, parameters=parameters, files=MountedFiles()) as asked:
            tracked = tracking_options(Client(), flow, model)
            remove_schedule(flow, model)
            options["schedule"] = Schedule(name=name, cron_expression=cron)
            pipeline.with_options(**options, **merged(asked, tracked))(**parameters)  # type: ignore[attr-defined]
    return name, chosen


def schedule_name(pipeline: str, model: str) -> str:
    """The name of the one schedule of a pipeline for a model."""
    return f"{pipeline}-{model}"


def remove_schedule(pipeline: str, model: str) -> bool:
    """End the schedule of a pipeline for a model, on any stack; False: there is none."""
    from zenml.client import Client

    client = Client()
    found = list(client.list_schedules(name=schedule_name(pipeline, model), size=100))
    for each in found:
        client.delete_schedule(each.id)
    return bool(found)


def _require_schedules(stack: str) -> None:
    from zenml.client import Client

    orchestrator = Client().active_stack.orchestrator
    if not orchestrator.config.is_schedulable:
        raise NoriaError(
            f"the orchestrator of this stack (`{orchestrator.flavor}`) knows no schedules",
            code="pipelines.schedules_unsupported",
            where=f"stack `{stack}`",
            fix="take a stack whose orchestrator does, such as kubernetes; here, let `python run.py watch` run, or "
            "have cron start it with --once",
        )
