"""One pass over all predictions of a time: the totals of each column, of the answers, the days and the segments."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.monitoring.window_totals.category_totals import CategoryTotals
from noria.monitoring.window_totals.column_fold import ColumnFold
from noria.monitoring.window_totals.number_totals import NumberTotals
from noria.predictions.feature_columns import FeatureReader
from noria.predictions.scan import StoredPart
from noria.schema import Column

Floats = NDArray[np.float64]
ColumnTotals = NumberTotals | CategoryTotals
_WORKERS = 2
"""Reading JSON takes most of the time, and other threads can run meanwhile."""
_AHEAD = 2
"""Parts that wait to be counted, so that memory stays bounded."""
_SEGMENTS = 10_000
_SPAN = 1_000_000
"""Times that lie further apart are sorted in place of counted."""


@dataclass
class GroupTotals:
    """Rows of a day or of a segment."""

    rows: int = 0
    warned: int = 0
    """How many of them the service warned of."""
    answered: int = 0
    """How many of them have a number as their answer."""
    answers: float = 0.0
    """The sum of these numbers."""

    def add(self, rows: int, warned: int, answered: int, answers: float) -> None:
        """Add more of them."""
        self.rows += rows
        self.warned += warned
        self.answered += answered
        self.answers += answers

    @property
    def mean(self) -> float | None:
        """The mean answer; None if there is none."""
        return self.answers / self.answered if self.answered else None


@dataclass(frozen=True)
class TotalsBasis:
    """What rows are counted by."""

    columns: Sequence[Column]
    """The columns that are counted."""
    calendar: Sequence[str]
    """Parts of dates that are features."""
    reference: pd.DataFrame
    """The rows that they are compared with."""
    answers: "pd.Series[Any]"
    """The model's answers to these; may be empty."""
    answer_is_number: bool
    """Whether answers are numbers, not classes."""
    slices: Sequence[str] = ()
    """Categories that tell segments apart."""


@dataclass
class WindowTotals:
    """What the rows that were counted hold."""

    columns: dict[str, ColumnTotals]
    """Column → its totals; dates have none."""
    answer: ColumnTotals
    """The totals of the model's answers."""
    whole: GroupTotals = field(default_factory=GroupTotals)
    """All rows."""
    squares: float = 0.0
    """The sum of the squares of the answers that are numbers."""
    warned: Counter[str] = field(default_factory=Counter)
    """Column → rows in which the service warned of it."""
    days: dict[np.datetime64, GroupTotals] = field(default_factory=lambda: defaultdict(GroupTotals))
    """Day (UTC) → its rows."""
    minutes: Counter[np.datetime64] = field(default_factory=Counter)
    """Minute (UTC) → the number of its rows."""
    segments: dict[tuple[str, str], GroupTotals] = field(default_factory=lambda: defaultdict(GroupTotals))
    """(column, value) → its rows."""
    unlabelled: int = 0
    """Rows without a label."""
    young: int = 0
    """Rows without a label that are too young to have one."""
    drawn: list[str] = field(default_factory=list)
    """Identifiers of a fair sample of the rows."""

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return self.whole.rows


def count_rows(parts: Iterator[StoredPart], basis: TotalsBasis) -> WindowTotals:
    """Count all rows; the next parts are read from the store meanwhile.

    Args:
        parts: what `PredictionStore.scan` gives.
        basis: what they are counted by.
    """
    counter = _Counter(basis)
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="count") as workers:
        for part in parts:
            waiting.append(workers.submit(counter.add, part))
            if len(waiting) > _AHEAD:
                waiting.popleft().result()
        while waiting:
            waiting.popleft().result()
    return counter.totals


class _Counter:
    def __init__(self, basis: TotalsBasis) -> None:
        columns = {
            column.name: _empty(basis.reference[column.name], is_number=column.kind == "number")
            for column in basis.columns
            if column.kind != "datetime"
        }
        self.totals = WindowTotals(columns, _empty(basis.answers, is_number=basis.answer_is_number))
        self._folds = [ColumnFold(column, basis.calendar, columns.get(column.name)) for column in basis.columns]
        self._reader = FeatureReader({column.name: column.kind for column in basis.columns})
        categories = {column.name for column in basis.columns if column.kind == "category"}
        self._slices = categories.intersection(basis.slices)
        self._lock = Lock()

    def add(self, part: StoredPart) -> None:
        """Add the rows of one part."""
        features = self._reader.read(part.features, part.rows)
        with self._lock:
            self._fold(part, features)

    def _fold(self, part: StoredPart, features: Mapping[str, Any]) -> None:
        totals, rows = self.totals, part.rows
        answers = self._answers(part)
        warned = np.zeros(rows, dtype=bool)
        segments: dict[str, tuple[NDArray[np.intp], list[Any]]] = {}
        for fold in self._folds:
            name = fold.column.name
            flags, codes, typed = fold.add(features[name])
            warned |= flags
            totals.warned[name] += int(flags.sum())
            if name in self._slices and codes is not None:
                segments[name] = codes, typed
        totals.whole.add(*_sums(np.zeros(rows, dtype=np.intp), 1, warned, answers)[0])
        totals.squares += float(np.nansum(answers**2))
        self._add_times(part.times, warned, answers)
        for name, (codes, typed) in segments.items():
            for text, sums in zip(typed, _sums(codes, len(typed), warned, answers), strict=True):
                if text is not None and ((name, text) in totals.segments or len(totals.segments) < _SEGMENTS):
                    totals.segments[name, text].add(*sums)
        totals.unlabelled += part.unlabelled
        totals.young += part.young
        totals.drawn += part.drawn

    def _answers(self, part: StoredPart) -> Floats:
        """(n,) answers as numbers, NaN where they are none; they are added to their totals."""
        given = msgspec.json.decode("[" + part.answers.replace("\n", ",") + "]")
        if isinstance(self.totals.answer, CategoryTotals):
            self.totals.answer.add(Counter(None if each is None else str(each) for each in given))
            return np.full(part.rows, np.nan)
        try:
            numbers = np.array(given, dtype=np.float64)
        except (TypeError, ValueError):
            numbers = pd.to_numeric(pd.Series(given, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        self.totals.answer.add(numbers)
        return numbers

    def _add_times(self, lines: str, warned: NDArray[np.bool_], answers: Floats) -> None:
        import pyarrow as pa

        times = pa.array(lines.split("\n")).cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        minutes, _ = _numbered(times.astype("datetime64[m]"))
        for minute, count in minutes:
            self.totals.minutes[minute] += count
        days, places = _numbered(times.astype("datetime64[D]"))
        for (day, _), sums in zip(days, _sums(places, len(days), warned, answers), strict=True):
            self.totals.days[day].add(*sums)


def _empty(reference: "pd.Series[Any]", *, is_number: bool) -> ColumnTotals:
    if is_number:
        values = pd.to_numeric(reference, errors="coerce").to_numpy(dtype=np.float64)
        return NumberTotals(np.where(np.isfinite(values), values, np.nan))
    return CategoryTotals(str(value) for value in reference.dropna().unique())


def _numbered(times: NDArray[np.datetime64]) -> tuple[list[tuple[np.datetime64, int]], NDArray[np.intp]]:
    """The distinct times with their numbers of rows, ascending, and (n,) which of them each row has."""
    since = (times - times.min()).astype(np.int64)
    if since.max() > _SPAN:
        found, places, counts = np.unique(times, return_inverse=True, return_counts=True)
        return list(zip(found, counts.tolist(), strict=True)), places
    counts = np.bincount(since)
    present = np.flatnonzero(counts)
    number = np.cumsum(counts > 0) - 1
    return list(zip(times.min() + present, counts[present].tolist(), strict=True)), number[since]


def _sums(
    places: NDArray[np.intp], groups: int, warned: NDArray[np.bool_], answers: Floats
) -> list[tuple[int, int, int, float]]:
    """For each group: rows, rows with a warning, rows with a number as their answer, the sum of these."""
    known = ~np.isnan(answers)
    weights: Mapping[str, Any] = {"minlength": groups}
    counted = (
        np.bincount(places, **weights),
        np.bincount(places[warned], **weights),
        np.bincount(places[known], **weights),
    )
    answered = np.bincount(places[known], weights=answers[known], **weights)
    return list(zip(*(each.tolist() for each in counted), answered.tolist(), strict=True))


def newest_minute(minutes: Mapping[np.datetime64, int], most: int) -> datetime:
    """The minute (UTC) from which on there are as many rows as possible, but at most so many, or the last minute.

    Args:
        minutes: minute → rows, at least one.
        most: how many.
    """
    start, rows = max(minutes), 0
    for minute in sorted(minutes, reverse=True):
        rows += minutes[minute]
        if rows > most:
            break
        start = minute
    return pd.Timestamp(start).to_pydatetime().replace(tzinfo=UTC)
