"""What the values of the window say of the data: faults, the newest batch, and each day.

Of a window with more than `monitoring.max_rows` rows, the newest batch and the days are counted over all rows. Faults
are looked for in a sample of the window, and in its newest rows, all of them: those that came lately would be few in
the sample.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring.data_faults import Arrivals, DataFault, Rows, find_data_faults, merge_faults, read_rows
from noria.monitoring.data_faults.change_points import change_points
from noria.monitoring.look_level import look_scores
from noria.monitoring.newest_batch import batch_start, newest_batch
from noria.monitoring.newest_totals import days_of, newest_day, newest_of
from noria.monitoring.results import DaySummary, NewestBatch
from noria.predictions import inputs_of
from noria.schema import InputSchema

if TYPE_CHECKING:
    from noria.monitoring.window import AllRows


@dataclass(frozen=True)
class DataChecks:
    """What was found in the rows of a window."""

    faults: list[DataFault]
    """Faults of the delivered data that the newest rows show."""
    newest: NewestBatch | None
    """The newest predictions beside those before them; None if there are none."""
    days: list[DaySummary]
    """Each day of the window, oldest first."""


def times_of(frame: pd.DataFrame) -> "pd.Series[Any]":
    """(n,) the time of each prediction that monitoring goes by (UTC): that of its case."""
    return frame["event_at"] if "event_at" in frame.columns else frame["at"]


def check_data(
    bundle: Bundle,
    recent: pd.DataFrame,
    use_case: UseCase,
    now: datetime,
    looks: Sequence[datetime] = (),
    *,
    all_rows: "AllRows | None" = None,
) -> DataChecks:
    """Look for faults in the predictions of a window, and at the newest of them.

    Args:
        bundle: the deployed model, with its reference rows.
        recent: (n, …) predictions, with the columns of `PredictionStore.window`.
        use_case: `monitoring.min_rows` is the smallest batch that is looked at.
        now: when one looks.
        looks: when the same model was checked before, oldest first.
        all_rows: all predictions of the window, where `recent` is a sample of them.
    """
    if not len(recent):
        return DataChecks([], None, [])
    fewest = use_case.monitoring.min_rows
    schema = _shown(bundle.manifest.schema_, hidden_columns(use_case))
    recent, rows = _ordered(recent, schema, use_case)
    reference = read_rows(schema, bundle.reference())
    learned, delivered = _delivered(reference, use_case), _delivered(rows, use_case)
    scores = look_scores(len(looks) + 1, 2)
    if all_rows is not None:
        arrivals = Arrivals.of(all_rows.totals.minutes)
        newest_rows = _delivered(_ordered(all_rows.newest, schema, use_case)[1], use_case)
        faults = merge_faults(
            find_data_faults(learned, delivered, schema, now, fewest=fewest, arrivals=arrivals),
            find_data_faults(learned, newest_rows, schema, now, fewest=fewest, arrivals=arrivals),
        )
        batch = newest_of(all_rows, _start_of(all_rows, rows, looks, fewest), scores)
        return DataChecks(faults, batch, days_of(all_rows.totals))
    never = {column.name for column in schema.columns if column.missing == 0}
    start = batch_start(rows, looks[-1] if looks else None, fewest)
    newest, days = newest_batch(
        rows, _answers(bundle, recent), start, never, scores=scores, slices=use_case.evaluation.slices
    )
    return DataChecks(find_data_faults(learned, delivered, schema, now, fewest=fewest), newest, days)


def _delivered(rows: Rows, use_case: UseCase) -> Rows:
    """Without what is computed from earlier cases (`features.history`): it is not delivered, so it has no faults."""
    computed = {each.name for each in use_case.features.history}
    return replace(rows, numbers={name: values for name, values in rows.numbers.items() if name not in computed})


def _ordered(frame: pd.DataFrame, schema: InputSchema, use_case: UseCase) -> tuple[pd.DataFrame, Rows]:
    """The predictions in the order of their times, and as rows."""
    frame = frame.iloc[times_of(frame).argsort(kind="stable")].reset_index(drop=True)
    dated = [] if use_case.data.time is None else [use_case.data.time]
    return frame, read_rows(schema, inputs_of(frame), times_of(frame), dated=dated)


def _start_of(all_rows: "AllRows", sample: Rows, looks: Sequence[datetime], fewest: int) -> datetime:
    """Since when the newest batch came, as `batch_start` has it: the last look, a change in the sample, a day."""
    if looks and fewest <= all_rows.since(looks[-1]).rows < all_rows.totals.rows:
        return looks[-1]
    changes = change_points(sample, fewest)
    changed = sample.time_of(changes[-1]) if changes else None
    return changed or newest_day(all_rows.totals.days, fewest) or times_of(all_rows.newest).min().to_pydatetime()


def hidden_columns(use_case: UseCase) -> set[str]:
    """The columns of which the store holds hashes or pieces only."""
    privacy = use_case.serving.privacy
    return {*privacy.hash, *privacy.drop, *privacy.truncate}


def _shown(schema: InputSchema, hidden: Collection[str]) -> InputSchema:
    return schema.model_copy(update={"columns": [each for each in schema.columns if each.name not in hidden]})


def _answers(bundle: Bundle, recent: pd.DataFrame) -> "pd.Series[Any] | None":
    task = bundle.manifest.task
    if task == "multiclass":
        return None
    return pd.to_numeric(recent["probability" if task == "binary" else "prediction"], errors="coerce")
