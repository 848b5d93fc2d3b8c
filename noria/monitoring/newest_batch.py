"""The newest rows alone: what a window of a month hides if they are few."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.monitoring.data_faults import Rows
from noria.monitoring.data_faults.change_points import change_points
from noria.monitoring.results import DaySummary, NewestBatch, SegmentSummary

Flags = NDArray[np.bool_]
FEWEST = 30
"""A segment with fewer rows is not listed."""


def batch_start(rows: Rows, last_look: datetime | None, fewest: int) -> int:
    """Where the newest batch begins: with the rows since the last look, if these are enough.

    Otherwise where a column last began to look different, else with the newest day of enough rows, else with the
    newest `fewest` rows.

    Args:
        rows: all rows of the window, oldest first, with their times.
        last_look: when the same model was checked before.
        fewest: the batch has at least so many rows, if the window has.
    """
    total = len(rows)
    if total <= fewest:
        return 0
    if last_look is not None:
        start = int(np.searchsorted(rows.at, _naive(last_look)))
        if fewest <= total - start < total:
            return start
    changes = change_points(rows, fewest)
    if changes:
        return changes[-1]
    days = rows.at.astype("datetime64[D]")
    for day in np.unique(days)[::-1]:
        start = int(np.searchsorted(days, day))
        if total - start >= fewest:
            return start if start >= fewest else total - fewest
    return total - fewest


def warned_rows(rows: Rows, never_missing: set[str]) -> dict[str, NDArray[np.bool_]]:
    """Column → (n,) whether the value is unseen, out of range, unreadable, or missing though it never was."""
    return {
        name: rows.unseen[name] | rows.unreadable[name] | (rows.missing(name) & (name in never_missing))
        for name in rows.columns
    }


def newest_batch(
    rows: Rows,
    answers: "pd.Series[Any] | None",
    start: int,
    never_missing: set[str],
    *,
    scores: float = 3.0,
    slices: Sequence[str] = (),
) -> tuple[NewestBatch | None, list[DaySummary]]:
    """The newest batch beside the rows before it, and each day.

    Args:
        rows: all rows of the window, oldest first, with their times.
        answers: (n,) probabilities or predicted numbers; None for several classes.
        start: where the newest batch begins.
        never_missing: columns without a missing value in training.
        scores: standard errors that chance may reach.
        slices: categories that tell segments apart.
    """
    first = rows.time_of(start) if len(rows) else None
    if first is None:
        return None, []
    by_column = warned_rows(rows, never_missing)
    warned = np.logical_or.reduce(list(by_column.values())) if by_column else np.zeros(len(rows), dtype=bool)
    shares = {name: float(flags[start:].mean()) for name, flags in by_column.items()}
    values = None if answers is None else answers.to_numpy(dtype=np.float64)
    batch = NewestBatch(
        since=first,
        rows=len(rows) - start,
        rows_before=start,
        warned=float(warned[start:].mean()),
        warned_before=float(warned[:start].mean()) if start else 0.0,
        warned_columns={name: share for name, share in sorted(shares.items(), key=lambda each: -each[1]) if share},
        segments=_segments(rows, warned, values, start, slices),
        **_means(values, start, scores),
    )
    return batch, _days(rows, warned, values)


def _segments(
    rows: Rows, warned: Flags, values: NDArray[np.float64] | None, start: int, slices: Sequence[str]
) -> list[SegmentSummary]:
    found = []
    is_new = np.arange(len(rows)) >= start
    for column in slices:
        if column not in rows.categories:
            continue
        for value, count in rows.part(start).category_counts[column].items():
            if count < FEWEST:
                break
            here = rows.categories[column] == value
            found.append(
                SegmentSummary(
                    column=column,
                    value=str(value),
                    rows=int(count),
                    warned=float(warned[here & is_new].mean()),
                    answer=_mean(values, here & is_new),
                    answer_before=_mean(values, here & ~is_new),
                )
            )
    return sorted(found, key=lambda each: -each.warned)


def _mean(values: NDArray[np.float64] | None, chosen: Flags) -> float | None:
    known = np.empty(0) if values is None else values[chosen & ~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _means(values: NDArray[np.float64] | None, start: int, scores: float) -> dict[str, float | None]:
    if values is None:
        return {}
    now, before = (part[~np.isnan(part)] for part in (values[start:], values[:start]))
    if not len(now) or not len(before):
        return {"answer": float(now.mean()) if len(now) else None}
    error = float(np.sqrt(now.var() / len(now) + before.var() / len(before)))
    return {"answer": float(now.mean()), "answer_before": float(before.mean()), "answer_chance": scores * error}


def _days(rows: Rows, warned: NDArray[np.bool_], values: NDArray[np.float64] | None) -> list[DaySummary]:
    table = pd.DataFrame({"day": rows.at.astype("datetime64[D]").astype(str), "warned": warned, "answer": np.nan})
    if values is not None:
        table["answer"] = values
    return [
        DaySummary(
            day=str(day),
            rows=len(group),
            warned=float(group["warned"].mean()),
            answer=float(group["answer"].mean()) if group["answer"].notna().any() else None,
        )
        for day, group in table.groupby("day", sort=True)
    ]


def _naive(moment: datetime) -> np.datetime64:
    return np.datetime64(pd.Timestamp(moment).tz_convert("UTC").tz_localize(None), "us")
