"""Values that do not come as they did: missing, unreadable, or always the same."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.monitoring.data_faults.change_points import onset
from noria.monitoring.data_faults.company import others_alike
from noria.monitoring.data_faults.fault import DataFault
from noria.monitoring.data_faults.rows import Flags, Rows
from noria.monitoring.data_faults.two_samples import follows_time
from noria.reporting import count, percent

_FEWEST = 5
_LEAST = 0.01
_RISE = 0.1
_FOLD = 3.0
_MANY = 20
_MOST, _DAYS = 0.5, 3.0
_BLOCK = 20
_MODE = 0.5
_ALIKE = 0.6
_SCORES = 5.0
_CERTAIN = math.log(1e-9)


def missing_values(before: Rows, batch: Rows, recent: Rows, usual: Mapping[str, float]) -> list[DataFault]:
    """The columns that are missing in `batch` far more often than before.

    Args:
        before: rows that are taken to be right.
        batch: newer rows.
        recent: all rows of the window, to find since when.
        usual: column → the share of its values that were missing when the model learned.
    """
    faults = []
    for name in batch.columns:
        then, now = (_missing(rows, name) for rows in (before, batch))
        is_new = not usual[name] and not then.any() and now.sum() >= _FEWEST and now.mean() >= _LEAST
        if not is_new and (not _rose(then, now) or _is_usual(then, now, usual[name])):
            continue
        if not is_new and (_in_stretches(then) or _in_stretches(now)) and not _lasts(batch, now):
            continue
        gone = _missing(recent, name)
        start = onset(_rate_evidence(gone, float(then.mean()), float(now.mean())))
        shares = float(then.mean()), float(gone[start:].mean())
        known = "where it never was" if not then.any() else f"{percent(shares[0], 0)} before"
        faults.append(
            DataFault(
                kind="missing_values",
                columns=[name],
                since=recent.time_of(start),
                sentence=f"`{name}` is missing in {percent(shares[1], 0)} of the rows{{since}}, {known}.",
                figures={"share before": shares[0], "share since": shares[1], "rows": int(gone[start:].sum())},
            )
        )
    return faults


def unreadable_values(before: Rows, batch: Rows, recent: Rows) -> list[DataFault]:
    """The columns whose values in `batch` cannot be read as what they are to the model."""
    faults = []
    for name, now in batch.unreadable.items():
        then = before.unreadable.get(name, np.zeros(len(before), dtype=bool))
        share = float(now.mean())
        if now.sum() < _FEWEST or share < _LEAST or not _rose(then, now, rise=0.0):
            continue
        start = onset(_rate_evidence(recent.unreadable[name], float(then.mean()), share))
        share = float(recent.unreadable[name][start:].mean())
        kind = "a number" if name in batch.numbers else "a date" if name in batch.dates else "a category"
        faults.append(
            DataFault(
                kind="unreadable_values",
                columns=[name],
                since=recent.time_of(start),
                sentence=f"`{name}` cannot be read as {kind} in {percent(share, 0)} of the rows{{since}}.",
                figures={"share before": float(then.mean()), "share since": share, "rows": int(now.sum())},
            )
        )
    return faults


def constant_columns(before: Rows, batch: Rows, recent: Rows, *, adjacent: bool) -> list[DataFault]:
    """The columns that hold one value throughout `batch` and changed from row to row before.

    A column that follows the time, such as a season, holds one value for a while by its nature. So only numbers with
    many values are compared with rows that are not `adjacent`. Where most other columns changed, too, other cases came.
    """
    faults = []
    for name in (*batch.numbers, *batch.categories):
        then, now = (_known(rows, name) for rows in (before, batch))
        if len(now) < len(batch) / 2 or len(then) < _FEWEST or not len(now) or not (now == now[0]).all():
            continue
        share = float((then == now[0]).mean())
        if len(now) * math.log(max(share, 1e-12)) > _CERTAIN or not _varied(then, len(now)):
            continue
        if not adjacent and (share > _MODE or name not in batch.numbers or pd.Series(then).nunique() <= _MANY):
            continue
        if others_alike(name, before, batch) < _ALIKE:
            continue
        values = recent.numbers[name] if name in recent.numbers else recent.categories[name]
        faults.append(
            DataFault(
                kind="constant_column",
                columns=[name],
                since=recent.time_of(_run_start(values, now[0])),
                sentence=f"`{name}` is always {_shown(now[0])}{{since}}, in {count(len(now))} rows; "
                f"before, it was in {percent(share, 0)}.",
                figures={"value": _shown(now[0]), "share before": share, "rows": len(now)},
            )
        )
    return faults


def _missing(rows: Rows, name: str) -> Flags:
    """(n,) whether nothing came at all."""
    unreadable = rows.unreadable.get(name)
    return rows.missing(name) if unreadable is None else rows.missing(name) & ~unreadable


def _in_stretches(flags: Flags) -> bool:
    """Whether values are missing for a while and then come again, as where a station is down: counts in blocks of rows
    vary at least twice as much as for independent rows."""
    blocks = len(flags) // _BLOCK
    if blocks < _FEWEST or not flags.any():
        return False
    counts = flags[: blocks * _BLOCK].reshape(blocks, _BLOCK).sum(axis=1)
    share = float(counts.mean()) / _BLOCK
    return bool(0 < share < 1 and counts.var(ddof=1) > 2 * _BLOCK * share * (1 - share))


def _lasts(batch: Rows, now: Flags) -> bool:
    """Whether most values have been missing for days: shorter stretches pass by themselves."""
    days = (batch.at[-1] - batch.at[0]) / np.timedelta64(1, "D") if len(batch.at) else 0.0
    return float(now.mean()) >= _MOST and float(days) >= _DAYS


def _is_usual(then: Flags, now: Flags, usual: float) -> bool:
    """Whether a stretch as long as the newest one, or what the model learned, had a third of its missing values."""
    size = min(len(now), len(then))
    sums = np.convolve(then, np.ones(size), mode="valid") / size
    return max(float(sums.max()), usual) * _FOLD > float(now.mean())


def _rose(then: Flags, now: Flags, rise: float = _RISE) -> bool:
    """Whether the share rose by `rise`, to three times what it was, and beyond chance."""
    before, after = float(then.mean()), float(now.mean())
    if after - before < rise or after < _FOLD * before:
        return False
    pooled = (then.sum() + now.sum()) / (len(then) + len(now))
    chance = math.sqrt(pooled * (1 - pooled) * (1 / len(then) + 1 / len(now)))
    return after - before > _SCORES * chance or (before == 0 and now.sum() >= _FEWEST)


def _rate_evidence(flags: Flags, before: float, after: float) -> NDArray[np.float64]:
    low, high = (min(max(share, 1e-4), 1 - 1e-4) for share in (before, after))
    return np.where(flags, math.log(high / low), math.log((1 - high) / (1 - low)))


def _known(rows: Rows, name: str) -> NDArray[Any]:
    values: NDArray[Any] = rows.numbers[name] if name in rows.numbers else rows.categories[name]
    return values[~pd.isna(values)]


def _varied(values: NDArray[Any], rows: int) -> bool:
    """Whether the column changed from row to row, and never kept a value for half as long as `rows`."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    longest = int(np.diff(np.append(starts, len(values))).max())
    return len(starts) > 1 and longest * 2 < rows and not follows_time(values)


def _run_start(values: NDArray[Any], value: Any) -> int:
    """Where the run of this value that reaches the end began; missing values do not end it."""
    others = np.flatnonzero((values != value) & ~pd.isna(values))
    return int(others[-1]) + 1 if len(others) else 0


def _shown(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else f"`{value}`"
