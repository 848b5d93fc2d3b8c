"""Which predictions a check looks at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from noria.config import UseCase
from noria.monitoring.partial_labels.coverage import is_partial
from noria.predictions import PredictionStore
from noria.reporting import plural
from noria.tabular.values import text_of
from noria.tabular.with_columns import with_columns

_CASES_PER_ROW = 10
"""So many cases are read for each row that `monitoring.max_rows` allows: they come without their inputs."""


@dataclass(frozen=True)
class Window:
    """The predictions of one model version, with the columns of `PredictionStore.window`."""

    recent: pd.DataFrame
    """Those of cases that happened in the last `monitoring.window_days` days."""
    labelled: pd.DataFrame
    """Those with a label, reaching back `problem.label_delay_days` further: the labels of recent ones are not known
    yet."""
    since: datetime
    """Where `recent` begins (UTC)."""
    cases: pd.DataFrame | None = None
    """Where labels come for some cases only: all cases that labels could be of, with the columns of
    `PredictionStore.label_sources`; None: all labels count alike."""
    outside: str = ""
    """Predictions that were asked in this time of cases that do not happen in it, in words; empty: none."""


def read_window(
    store: PredictionStore, use_case: UseCase, version: str, now: datetime, without: Collection[str] = ()
) -> Window:
    """Read what a check at `now` (with a zone) looks at; each part is sampled to `monitoring.max_rows`.

    `without` names variants that have the version's number but another model: rules are numbered with their model.

    A column that came now as text, now as a number is text in both parts, so that tables of it can be stored.
    """
    limits = use_case.monitoring
    since = now - timedelta(days=limits.window_days)
    labelled_since = since - timedelta(days=use_case.problem.label_delay_days)
    until = now + timedelta(microseconds=1)  # a prediction made at this very moment counts
    labelled = store.window(labelled_since, until, limit=limits.max_rows, version=version, labelled=True)
    counts = store.label_counts(labelled_since, until, version)
    cases = None
    if is_partial(counts, use_case.problem.labels_for):
        cases = _others(store.label_sources(labelled_since, until, version, _CASES_PER_ROW * limits.max_rows), without)
    return Window(
        recent=_of_one_type(_others(store.window(since, until, limit=limits.max_rows, version=version), without)),
        labelled=_of_one_type(_others(labelled, without)),
        since=since,
        outside=_outside(*store.outside(since, until, version)),
        cases=cases,
    )


def _outside(count: int, first: datetime | None, last: datetime | None) -> str:
    if first is None or last is None:
        return ""
    return (
        f"{plural(count, 'prediction')} asked in this time left out, because the cases happen outside of it: "
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d} by `data.time`. To look at another time, add --now."
    )


def _others(frame: pd.DataFrame, without: Collection[str]) -> pd.DataFrame:
    return frame[~frame["variant"].isin(list(without))].reset_index(drop=True)


def _of_one_type(frame: pd.DataFrame) -> pd.DataFrame:
    mixed = [
        name
        for name in frame.columns
        if frame[name].dtype == object and pd.api.types.infer_dtype(frame[name], skipna=True).startswith("mixed")
    ]
    return with_columns(frame, {name: frame[name].map(text_of, na_action="ignore") for name in mixed})
