"""Which predictions a check looks at."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

import pandas as pd

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring.data_checks import hidden_columns
from noria.monitoring.logged_predictions import answer_source, totals_basis
from noria.monitoring.partial_labels.coverage import is_partial
from noria.monitoring.window_totals import TotalsBasis, WindowTotals, count_rows, newest_minute
from noria.predictions import PredictionStore
from noria.predictions.scan import ScanQuery, drawn_first
from noria.reporting import count, plural
from noria.tabular.values import text_of
from noria.tabular.with_columns import with_columns

_CASES_PER_ROW = 10
"""So many cases are read for each row that `monitoring.max_rows` allows: they come without their inputs."""


class AllRows:
    """All predictions of a window, which are more than `monitoring.max_rows`; they are counted, not kept.

    Args:
        count: counts the rows from a time on.
        totals: of the whole window.
        newest: the newest `monitoring.max_rows` rows, or somewhat fewer.
    """

    def __init__(self, count: Callable[[datetime], WindowTotals], totals: WindowTotals, newest: pd.DataFrame) -> None:
        self.totals, self.newest = totals, newest
        self._count = cache(count)

    def since(self, moment: datetime) -> WindowTotals:
        """The totals of the rows from then on; the store must still be open."""
        return self._count(moment)


@dataclass(frozen=True)
class Window:
    """The predictions of one model version, with the columns of `PredictionStore.window`."""

    recent: pd.DataFrame
    """Those of cases that happened in the last `monitoring.window_days` days; a fair sample if there is `all_rows`."""
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
    labelled_since: datetime | None = None
    """Where `labelled` begins (UTC); None: where `recent` does."""
    labelled_share: float = 1.0
    """Share of the labelled predictions of that time that `labelled` was sampled from (0 to 1)."""
    all_rows: AllRows | None = None
    """None where `recent` holds all rows."""

    @property
    def rows(self) -> int:
        """The number of predictions in the last `monitoring.window_days` days."""
        return len(self.recent) if self.all_rows is None else self.all_rows.totals.rows


def read_window(
    store: PredictionStore,
    use_case: UseCase,
    version: str,
    now: datetime,
    without: Collection[str] = (),
    *,
    bundle: Bundle | None = None,
) -> Window:
    """Read what a check at `now` (with a zone) looks at; each part is sampled to `monitoring.max_rows`.

    `without` names variants that have the version's number but another model: rules are numbered with their model.

    A column that came now as text, now as a number is text in both parts, so that tables of it can be stored.

    Args:
        store: where the predictions are; keep it open for as long as the window is used.
        use_case: `monitoring` and `problem.label_delay_days` say how far to look back.
        version: of the model.
        now: the time of the check.
        without: see above.
        bundle: the model. With it all rows are counted if there are more than `monitoring.max_rows`; without it, the
            check rests on the sample.
    """
    limits = use_case.monitoring
    since = now - timedelta(days=limits.window_days)
    labelled_since = since - timedelta(days=use_case.problem.label_delay_days)
    until = now + timedelta(microseconds=1)  # a prediction made at this very moment counts
    labelled = store.window(labelled_since, until, limit=limits.max_rows, version=version, labelled=True)
    share = 1.0
    if len(labelled) == limits.max_rows:
        share = len(labelled) / max(store.count_labelled(labelled_since, until, version), len(labelled))
    recent, all_rows = None, None
    if bundle is not None and store.most_rows(since) > limits.max_rows:
        query = ScanQuery(
            since=since,
            until=until,
            version=version,
            answer=answer_source(bundle.manifest),
            young_since=now - timedelta(days=use_case.problem.label_delay_days),
            draw=limits.max_rows,
            without=tuple(without),
        )
        recent, all_rows = _counted(
            store, query, totals_basis(bundle, hidden_columns(use_case), use_case.evaluation.slices)
        )
    if recent is None:
        recent = store.window(since, until, limit=limits.max_rows, version=version)
    counts = store.label_counts(labelled_since, until, version)
    cases = None
    if is_partial(counts, use_case.problem.labels_for):
        cases = _others(store.label_sources(labelled_since, until, version, _CASES_PER_ROW * limits.max_rows), without)
    return Window(
        recent=_of_one_type(_others(recent, without)),
        labelled=_of_one_type(_others(labelled, without)),
        since=since,
        outside=_outside(*store.outside(since, until, version)),
        cases=cases,
        labelled_since=labelled_since,
        labelled_share=share,
        all_rows=all_rows,
    )


def _counted(
    store: PredictionStore, query: ScanQuery, basis: TotalsBasis
) -> "tuple[pd.DataFrame | None, AllRows | None]":
    """A fair sample, and the totals of all rows; both None if the window does not hold more than the sample."""
    totals = count_rows(store.scan(query), basis)
    if totals.rows <= query.draw:
        return None, None
    start = newest_minute(totals.minutes, query.draw)
    newest = store.window(start, query.until, limit=query.draw, version=query.version)

    def count(moment: datetime) -> WindowTotals:
        return count_rows(store.scan(replace(query, since=max(moment, query.since), draw=0)), basis)

    if len(totals.drawn) >= query.draw:
        sample = store.rows_of(drawn_first(totals.drawn, query.draw))
    else:  # most rows are of other versions, so that too few were drawn of this one
        sample = store.window(query.since, query.until, limit=query.draw, version=query.version)
    return sample, AllRows(count, totals, _of_one_type(_others(newest, query.without)))


def sampling_note(window: Window) -> str:
    """Which figures count all rows of a window that is too large to be kept, and which rest on a part of it."""
    return (
        f"Drift, ranges, warnings, days and the newest batch count all {count(window.rows)} predictions. Estimates, "
        "quality, the comparison of the whole table and Evidently's pages rest on at most "
        f"{count(len(window.recent))} drawn at random. Faults of the data are looked for in these, and in as many of "
        "the newest."
    )


def _outside(many: int, first: datetime | None, last: datetime | None) -> str:
    if first is None or last is None:
        return ""
    return (
        f"{plural(many, 'prediction')} asked in this time left out, because the cases happen outside of it: "
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
