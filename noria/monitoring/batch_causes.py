"""Causes that the newest batch and the faults of the data give to a verdict."""

from collections.abc import Sequence

from noria.monitoring.causes import Cause, Level
from noria.monitoring.data_faults import ADVICE, DataFault
from noria.monitoring.drift_summary import number
from noria.monitoring.results import NewestBatch
from noria.reporting import count, percent

_WARNED, _WARNED_MORE = 0.05, 3.0
_ANSWER = 0.25
_NAMED = 3
_CONCENTRATED = 0.8
_MINOR = 0.2
"""Values missing in a smaller share of the rows than this are watched, if the model knows missing values."""


def fault_causes(faults: Sequence[DataFault]) -> list[Cause]:
    """Each fault as a cause, with the advice to ask those who deliver the data."""
    return [
        Cause(
            kind="feed_stopped" if fault.kind == "feed_stopped" else "data_fault",
            severity=_severity(fault),
            since=fault.since,
            columns=fault.columns,
            sentence=f"{fault.sentence} {ADVICE}",
            figures={"fault": fault.kind, **fault.figures},
        )
        for fault in faults
    ]


def batch_causes(batch: NewestBatch | None, explained: Sequence[Cause]) -> list[Cause]:
    """What the newest batch shows beyond the faults of the data.

    Args:
        batch: None if there are no predictions.
        explained: causes whose columns are accounted for.
    """
    if batch is None or not batch.rows_before:
        return []
    faulty = {name for cause in explained for name in cause.columns}
    return [*_warnings(batch, faulty), *_answers(batch, severity="ok" if faulty else "watch")]


def _severity(fault: DataFault) -> Level:
    share = fault.figures.get("share since")
    known = fault.figures.get("share before")
    if fault.kind == "feed_gap":
        return "watch"
    if fault.kind == "missing_values" and isinstance(share, float) and isinstance(known, float):
        return "watch" if known > 0 and share < _MINOR else "fix_data"
    return "fix_data"


def _warnings(batch: NewestBatch, faulty: set[str]) -> list[Cause]:
    more = batch.warned >= _WARNED and batch.warned >= _WARNED_MORE * batch.warned_before
    columns = [name for name, share in batch.warned_columns.items() if share >= _WARNED / 2]
    if not more or not columns:
        return []
    named = ", ".join(f"`{name}` in {percent(batch.warned_columns[name], 0)}" for name in columns[:_NAMED])
    return [
        Cause(
            kind="input_drift",
            severity="ok" if faulty.issuperset(columns) else "watch",
            since=batch.since,
            columns=columns,
            sentence=f"The service warned of {percent(batch.warned, 0)} of the newest {count(batch.rows)} predictions, "
            f"{percent(batch.warned_before, 0)} of those before: {named}{_where(batch)}.",
            figures={"share warned": batch.warned, "share warned before": batch.warned_before},
        )
    ]


def _where(batch: NewestBatch) -> str:
    """The segment that most warnings come from, if it is less than half of the rows."""
    for segment in batch.segments:
        share = segment.warned * segment.rows / (batch.warned * batch.rows)
        if share >= _CONCENTRATED and segment.rows * 2 < batch.rows:
            return f"; {percent(share, 0)} of these where `{segment.column}` is `{segment.value}`"
    return ""


def _answers(batch: NewestBatch, severity: Level) -> list[Cause]:
    now, before, chance = batch.answer, batch.answer_before, batch.answer_chance
    if now is None or before is None or chance is None:
        return []
    moved = abs(now - before)
    if moved <= chance or moved < _ANSWER * abs(before):
        return []
    return [
        Cause(
            kind="answer_drift",
            severity=severity,
            since=batch.since,
            sentence=f"The mean answer to the newest {count(batch.rows)} predictions is {number(now)}, "
            f"{number(before)} before.",
            figures={"mean answer": now, "mean answer before": before},
        )
    ]
