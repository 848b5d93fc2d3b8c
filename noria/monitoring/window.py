"""Which predictions a check looks at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from noria.config import UseCase
from noria.predictions import PredictionStore
from noria.tabular.values import text_of


@dataclass(frozen=True)
class Window:
    """The predictions of one model version, with the columns of `PredictionStore.window`."""

    recent: pd.DataFrame
    """Those of the last `monitoring.window_days` days."""
    labelled: pd.DataFrame
    """Those with a label, reaching back `problem.label_delay_days` further: the labels of recent ones are not known
    yet."""
    since: datetime
    """Where `recent` begins (UTC)."""


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
    return Window(
        recent=_of_one_type(_others(store.window(since, until, limit=limits.max_rows, version=version), without)),
        labelled=_of_one_type(
            _others(store.window(labelled_since, until, limit=limits.max_rows, version=version, labelled=True), without)
        ),
        since=since,
    )


def _others(frame: pd.DataFrame, without: Collection[str]) -> pd.DataFrame:
    return frame[~frame["variant"].isin(list(without))].reset_index(drop=True)


def _of_one_type(frame: pd.DataFrame) -> pd.DataFrame:
    mixed = [
        name
        for name in frame.columns
        if frame[name].dtype == object and pd.api.types.infer_dtype(frame[name], skipna=True).startswith("mixed")
    ]
    return frame.assign(**{name: frame[name].map(text_of, na_action="ignore") for name in mixed})
