"""What the values of the window say of the data: faults, the newest batch, and each day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring.data_faults import DataFault, find_data_faults, read_rows
from noria.monitoring.look_level import look_scores
from noria.monitoring.newest_batch import batch_start, newest_batch
from noria.monitoring.results import DaySummary, NewestBatch
from noria.predictions import inputs_of
from noria.schema import InputSchema


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
    bundle: Bundle, recent: pd.DataFrame, use_case: UseCase, now: datetime, looks: Sequence[datetime] = ()
) -> DataChecks:
    """Look for faults in the predictions of a window, and at the newest of them.

    Args:
        bundle: the deployed model, with its reference rows.
        recent: (n, …) predictions, with the columns of `PredictionStore.window`.
        use_case: `monitoring.min_rows` is the smallest batch that is looked at.
        now: when one looks.
        looks: when the same model was checked before, oldest first.
    """
    if not len(recent):
        return DataChecks([], None, [])
    order = times_of(recent).argsort(kind="stable")
    recent = recent.iloc[order].reset_index(drop=True)
    fewest = use_case.monitoring.min_rows
    schema = _shown(bundle.manifest.schema_, hidden_columns(use_case))
    dated = [] if use_case.data.time is None else [use_case.data.time]
    rows = read_rows(schema, inputs_of(recent), times_of(recent), dated=dated)
    reference = read_rows(schema, bundle.reference())
    never = {column.name for column in schema.columns if column.missing == 0}
    start = batch_start(rows, looks[-1] if looks else None, fewest)
    scores = look_scores(len(looks) + 1, 2)
    newest, days = newest_batch(
        rows, _answers(bundle, recent), start, never, scores=scores, slices=use_case.evaluation.slices
    )
    return DataChecks(find_data_faults(reference, rows, schema, now, fewest=fewest), newest, days)


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
