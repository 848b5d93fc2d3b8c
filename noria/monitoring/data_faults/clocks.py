"""A clock that is some hours off: the rows come at other hours of the day, or a time in them lags behind theirs."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.monitoring.data_faults.change_points import onset
from noria.monitoring.data_faults.fault import DataFault
from noria.monitoring.data_faults.rows import Rows
from noria.monitoring.data_faults.two_samples import shares_are_far, shares_are_near
from noria.reporting import plural

Floats = NDArray[np.float64]
_HOURS = 24
_DAYS = 3
_LEAST_HOURS = 2
"""A shift by one hour is the change to or from summer time."""
_EVIDENCE = 30.0
_FAR = 0.25
_STEADY_H = 0.5
_QUARTER = 0.25


def shifted_clock(recent: Rows, fewest: int) -> list[DataFault]:
    """Whether the rows of the newest days came at the usual hours, but shifted.

    Whole days are compared, so three earlier ones and one new one are needed, each part with `fewest` rows.
    """
    if not len(recent.at):
        return []
    days = recent.at.astype("datetime64[D]")
    hours = (recent.at - days).astype("timedelta64[h]").astype(np.int64)
    found: tuple[int, int, float] | None = None
    for day in np.unique(days)[_DAYS:]:
        start = int(np.searchsorted(days, day))
        if start < fewest or len(days) - start < fewest:
            continue
        shift = _shift(hours[:start], hours[start:])
        if shift is not None and (found is None or shift[1] > found[2]):
            found = start, *shift
    if found is None:
        return []
    first, hours_off, surer = found
    start = onset(_hour_evidence(hours, hours[:first], hours_off))
    way = "later" if hours_off > 0 else "earlier"
    return [
        DataFault(
            kind="clock_shifted",
            since=recent.time_of(start),
            sentence=f"The clock looks shifted by {plural(abs(hours_off), 'hour')}{{since}}: the rows come at the "
            f"usual hours of the day, but {way}.",
            figures={"hours": hours_off, "log likelihood ratio": surer},
        )
    ]


def lagging_times(before: Rows, batch: Rows, recent: Rows) -> list[DataFault]:
    """The date columns that lie a number of hours off the time of their rows, and did not before."""
    faults = []
    for name in batch.dates:
        then, now = (_lags(rows, name) for rows in (before, batch))
        if not len(then) or not len(now) or max(_spread(then), _spread(now)) > _STEADY_H:
            continue
        moved = float(np.median(now) - np.median(then))
        off = round(moved / _QUARTER) * _QUARTER
        if abs(off) < 2 * _QUARTER or abs(moved - off) > _QUARTER / 2:
            continue
        place = len(recent) - len(batch)
        faults.append(
            DataFault(
                kind="clock_shifted",
                columns=[name],
                since=recent.time_of(place),
                sentence=f"`{name}` looks shifted by {abs(off):g} hours{{since}}, compared with the time of the rows.",
                figures={"hours": -off},
            )
        )
    return faults


def _shift(then: NDArray[np.int64], now: NDArray[np.int64]) -> tuple[int, float] | None:
    """(hours, log likelihood ratio) of the shift after which the hours of the day agree; None: none does."""
    before, after = pd.Series(then).value_counts(), pd.Series(now).value_counts()
    if not shares_are_far(before, after, _FAR):
        return None
    sure = {
        shift: float(_hour_evidence(now, then, shift).sum())
        for shift in range(-_HOURS // 2 + 1, _HOURS // 2 + 1)
        if abs(shift) >= _LEAST_HOURS
    }
    shift = max(sure, key=lambda each: sure[each])
    fits = shares_are_near(pd.Series((then + shift) % _HOURS).value_counts(), after)
    return (shift, sure[shift]) if fits and sure[shift] >= _EVIDENCE else None


def _hour_evidence(hours: NDArray[np.int64], usual: NDArray[np.int64], shift: int) -> Floats:
    """(n,) the log likelihood ratio of each hour of the day: shifted against as usual."""
    counts = np.log(np.bincount(usual, minlength=_HOURS) + 0.5)
    ratio: Floats = counts[(hours - shift) % _HOURS] - counts[hours]
    return ratio


def _lags(rows: Rows, name: str) -> Floats:
    """Hours between the time in the column and the time of the row."""
    if not len(rows.at):
        return np.empty(0)
    known = ~np.isnat(rows.dates[name])
    gaps: Any = rows.at[known] - rows.dates[name][known].astype("datetime64[us]")
    hours: Floats = gaps.astype(np.int64) / 3.6e9
    return hours


def _spread(lags: Floats) -> float:
    return float(np.median(np.abs(lags - np.median(lags))))
