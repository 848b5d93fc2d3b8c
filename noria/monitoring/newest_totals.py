"""The newest batch and the days of a window of which all rows were counted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from noria.monitoring.newest_batch import FEWEST
from noria.monitoring.results import DaySummary, NewestBatch, SegmentSummary
from noria.monitoring.window_totals import GroupTotals, WindowTotals

if TYPE_CHECKING:
    from noria.monitoring.window import AllRows


def newest_of(all_rows: "AllRows", start: datetime, scores: float) -> NewestBatch:
    """The rows from `start` on beside those before them, as `noria.monitoring.newest_batch` has them.

    Args:
        all_rows: those of the window.
        start: where the newest batch begins; with a zone.
        scores: standard errors that chance may reach.
    """
    whole, newest = all_rows.totals, all_rows.since(start)
    before = _rest(whole.whole, newest.whole)
    shares = {name: count / newest.rows for name, count in newest.warned.items() if count and newest.rows}
    means = (newest.whole.mean, before.mean)
    chance = None
    if None not in means:
        variances = [
            max(squares / group.answered - (group.mean or 0.0) ** 2, 0.0) / group.answered
            for squares, group in ((newest.squares, newest.whole), (whole.squares - newest.squares, before))
        ]
        chance = scores * float(np.sqrt(sum(variances)))
    return NewestBatch(
        since=start.astimezone(UTC),
        rows=newest.rows,
        rows_before=before.rows,
        warned=newest.whole.warned / newest.rows if newest.rows else 0.0,
        warned_before=before.warned / before.rows if before.rows else 0.0,
        warned_columns=dict(sorted(shares.items(), key=lambda each: -each[1])),
        segments=_segments(whole, newest),
        answer=means[0],
        answer_before=means[1],
        answer_chance=chance,
    )


def days_of(totals: WindowTotals) -> list[DaySummary]:
    """Each day, oldest first."""
    return [
        DaySummary(day=str(day), rows=group.rows, warned=group.warned / group.rows, answer=group.mean)
        for day, group in sorted(totals.days.items())
    ]


def newest_day(days: Mapping[np.datetime64, GroupTotals], fewest: int) -> datetime | None:
    """The newest day (UTC) with which at least so many rows begin, and before which there are so many, too."""
    rows, total = 0, sum(group.rows for group in days.values())
    for day in sorted(days, reverse=True):
        rows += days[day].rows
        if rows >= fewest:
            return pd.Timestamp(day).to_pydatetime().replace(tzinfo=UTC) if total - rows >= fewest else None
    return None


def _segments(whole: WindowTotals, newest: WindowTotals) -> list[SegmentSummary]:
    found = [
        SegmentSummary(
            column=column,
            value=value,
            rows=group.rows,
            warned=group.warned / group.rows,
            answer=group.mean,
            answer_before=_rest(whole.segments.get((column, value), group), group).mean,
        )
        for (column, value), group in sorted(newest.segments.items(), key=lambda each: (each[0][0], -each[1].rows))
        if group.rows >= FEWEST
    ]
    return sorted(found, key=lambda each: -each.warned)


def _rest(whole: GroupTotals, part: GroupTotals) -> GroupTotals:
    """The rows of the whole that are no part of it; a prediction that was stored meanwhile counts as part only."""
    return GroupTotals(
        rows=max(whole.rows - part.rows, 0),
        warned=max(whole.warned - part.warned, 0),
        answered=max(whole.answered - part.answered, 0),
        answers=whole.answers - part.answers,
    )
