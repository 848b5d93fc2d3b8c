"""Which predictions a check looks at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from noria.config import UseCase
from noria.predictions import PredictionStore


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


def read_window(store: PredictionStore, use_case: UseCase, version: str, now: datetime) -> Window:
    """Read what a check at `now` (with a zone) looks at; each part is sampled to `monitoring.max_rows`."""
    limits = use_case.monitoring
    since = now - timedelta(days=limits.window_days)
    labelled_since = since - timedelta(days=use_case.problem.label_delay_days)
    until = now + timedelta(microseconds=1)  # a prediction made at this very moment counts
    return Window(
        recent=store.window(since, until, limit=limits.max_rows, version=version),
        labelled=store.window(labelled_since, until, limit=limits.max_rows, version=version, labelled=True),
        since=since,
    )
