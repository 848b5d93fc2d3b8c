"""A feed that stopped, or that left out some days: seen from the times of the rows alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.monitoring.data_faults.fault import DataFault
from noria.reporting import count

_GAPS = 10
_FOLD = 3.0
_ROWS = 20.0
_HOUR = np.timedelta64(1, "h")
_WEEK_H, _LONG_H = 8 * 24.0, 72.0
_WEEK, _SATURDAY, _MOST_LOST = 7, 5, 3


@dataclass(frozen=True)
class Arrivals:
    """When rows came."""

    at: NDArray[np.datetime64]
    """(n,) times, ascending (UTC)."""
    counts: NDArray[np.int64] | None = None
    """(n,) how many rows came then; None: one each."""

    @classmethod
    def of(cls, minutes: Mapping[np.datetime64, int]) -> "Arrivals":
        """From minute → rows."""
        at = np.array(sorted(minutes), dtype="datetime64[us]")
        return cls(at, np.array([minutes[minute] for minute in sorted(minutes)], dtype=np.int64))

    @property
    def rows(self) -> int:
        """How many rows came."""
        return len(self.at) if self.counts is None else int(self.counts.sum())


def feed_faults(arrivals: Arrivals, now: datetime) -> list[DataFault]:
    """What is missing in the stream of rows.

    The feed stopped if its silence is three times as long as any pause before, and many rows were to be expected in it.
    Nothing is said of a stream without a rhythm: one that came in a few bursts, or that has not yet seen a weekend.

    Args:
        arrivals: when the rows came.
        now: when one looks.
    """
    at = arrivals.at
    if len(np.unique(at.astype("datetime64[h]"))) <= _GAPS:
        return []
    end = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    gaps = np.diff(at) / _HOUR
    longest = np.argsort(gaps)[::-1]
    silence = float((end - at[-1]) / _HOUR)
    span = float((at[-1] - at[0]) / _HOUR)
    per_hour = arrivals.rows / max(span, 1.0)
    if _is_pause(silence, float(gaps[longest[0]]), per_hour, span):
        return [_stopped(at[-1], silence, float(gaps[longest[0]]), per_hour)]
    return _lost_days(arrivals)


def _lost_days(arrivals: Arrivals) -> list[DataFault]:
    """Whole days without a row among days that all have many; a weekend counts only if another one had rows."""
    found, places = np.unique(arrivals.at.astype("datetime64[D]"), return_inverse=True)
    counts = np.bincount(places, weights=arrivals.counts)
    every = np.arange(found[0], found[-1] + np.timedelta64(1, "D"))
    lost = every[~np.isin(every, found)]
    if len(found) < _WEEK or counts[1:-1].min() < _ROWS:
        return []
    faults = []
    for day in lost:
        same_weekday = (found - day).astype(np.int64) % 7 == 0
        is_weekend = _weekday(day) >= _SATURDAY
        others = lost[lost != day]
        if same_weekday.any() or not (is_weekend or any(_weekday(other) < _SATURDAY for other in others)):
            faults.append(_gap(day, float(np.median(counts))))
    return faults if len(faults) <= _MOST_LOST else []


def _weekday(day: np.datetime64) -> int:
    return pd.Timestamp(day).weekday()


def _is_pause(gap: float, usual: float, per_hour: float, span: float) -> bool:
    """Whether a gap (hours) is no rhythm: a weekend is one, in a stream that has not seen eight days."""
    return gap > _FOLD * max(usual, 1.0) and gap * per_hour >= _ROWS and (span >= _WEEK_H or gap > _LONG_H)


def _stopped(last: np.datetime64, silence: float, usual: float, per_hour: float) -> DataFault:
    return DataFault(
        kind="feed_stopped",
        since=_utc(last),
        sentence=f"No prediction was asked for{{since}}, for {_length(silence)}; about "
        f"{count(round(silence * per_hour))} were to be expected, and the longest pause before was {_length(usual)}.",
        figures={"hours": silence, "longest pause before": usual, "rows expected": silence * per_hour},
    )


def _gap(day: np.datetime64, usual: float) -> DataFault:
    return DataFault(
        kind="feed_gap",
        since=_utc(day),
        sentence=f"No prediction is stored of {_utc(day):%A %d %B}, where a day has {count(round(usual))}.",
        figures={"day": f"{_utc(day):%Y-%m-%d}", "rows on a usual day": usual},
    )


def _length(hours: float) -> str:
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"


def _utc(moment: np.datetime64) -> datetime:
    return pd.Timestamp(moment).to_pydatetime().replace(tzinfo=UTC)
