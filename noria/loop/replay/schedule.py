"""The order in which cases are asked about, and in which their labels become known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.config.durations import microseconds
from noria.system.errors import NoriaError
from noria.tabular.types import without_zone

Places = NDArray[np.intp]
_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Hour:
    """What happens in one hour of the replay."""

    end: datetime
    """When it ends (UTC)."""
    labelled: Places
    """Cases whose label became known before it began, and after the hour before began; the earliest first."""
    asked: Places
    """Cases that are asked about in it, the earliest first."""


@dataclass(frozen=True)
class Schedule:
    """n cases with the times at which they are asked about and at which their labels are known."""

    frame: pd.DataFrame
    """The n cases, in the order of `asked`, with an index from 0."""
    times: NDArray[np.datetime64]
    """(n,) when each case happens (UTC)."""
    asked: NDArray[np.datetime64]
    """(n,) when it is asked about (UTC)."""
    known: NDArray[np.datetime64]
    """(n,) when its label is known (UTC)."""
    was_sorted: bool
    """Whether the table was in the order of its times."""

    @classmethod
    def of(cls, table: pd.DataFrame, use_case: UseCase, since: datetime, until: datetime) -> "Schedule":
        """The cases of a period.

        Args:
            table: n typed rows with their target.
            use_case: `data.time`, `data.asked_before`, `data.label_hours` and `problem.label_delay_days` say when.
            since: cases from this time on (UTC).
            until: cases before this time (UTC).

        Raises:
            NoriaError: the use case names no time, its column holds no dates, or no case lies in the period.
        """
        times = _times(table, use_case)
        chosen = np.flatnonzero((times >= _stamp(since)) & (times < _stamp(until)))
        if not chosen.size:
            raise NoriaError(
                f"no case lies between {since:%Y-%m-%d} and {until:%Y-%m-%d}",
                code="replay.no_cases",
                where="--from, --to",
                fix=f"the table has cases from {pd.Timestamp(times.min()):%Y-%m-%d} "
                f"to {pd.Timestamp(times.max()):%Y-%m-%d}",
            )
        was_sorted = bool((np.diff(times[chosen]) >= np.timedelta64(0)).all())
        chosen = chosen[np.argsort(times[chosen], kind="stable")]
        frame, times = table.iloc[chosen].reset_index(drop=True), times[chosen]
        lead = np.timedelta64(microseconds(use_case.data.asked_before), "us")
        return cls(frame, times, times - lead, times + _delays(frame, use_case), was_sorted)

    def __len__(self) -> int:
        return len(self.frame)

    def hours(self) -> Iterator[Hour]:
        """Hour by hour from the first question on; hours in which nothing happens are left out.

        The labels that are known when an hour begins come first, then its cases are asked about.
        """
        first = self.asked[0].astype("datetime64[h]")
        asked_in = ((self.asked - first) // _HOUR).astype(np.intp)
        # a label that comes within an hour is known when the next one begins
        known_in = -((first - self.known) // _HOUR).astype(np.intp)
        by_label = np.argsort(self.known, kind="stable")
        in_order = known_in[by_label]
        for hour in np.unique(np.concatenate([asked_in, known_in])):
            begin, end = np.searchsorted(in_order, [hour, hour + 1])
            low, high = np.searchsorted(asked_in, [hour, hour + 1])
            moment = pd.Timestamp(first + (int(hour) + 1) * _HOUR).to_pydatetime().replace(tzinfo=UTC)
            yield Hour(moment, by_label[begin:end], np.arange(low, high))


def period_starts(since: datetime, until: datetime, length: timedelta) -> list[datetime]:
    """When each period between two times begins; the last one may be shorter."""
    count = -((since - until) // length)
    return [since + place * length for place in range(count)]


def utc_stamps(moments: Sequence[datetime]) -> NDArray[np.datetime64]:
    """(p,) times with a zone, in UTC without one."""
    return np.array([_stamp(moment) for moment in moments], dtype="datetime64[us]")


def _times(table: pd.DataFrame, use_case: UseCase) -> NDArray[np.datetime64]:
    column = use_case.data.time
    if column is None or column not in table or not pd.api.types.is_datetime64_any_dtype(table[column]):
        raise NoriaError(
            "a replay goes by the time of each case, and the use case has none",
            code="replay.no_time",
            where="data.time",
            fix="name a column of dates in data.time",
        )
    return without_zone(table[column]).to_numpy(dtype="datetime64[us]")


def _delays(frame: pd.DataFrame, use_case: UseCase) -> NDArray[np.timedelta64]:
    usual = use_case.problem.label_delay_days * 24
    column = use_case.data.label_hours
    hours = np.full(len(frame), usual) if column is None else frame[column].to_numpy(dtype=np.float64)
    hours = np.where(np.isfinite(hours), hours, usual)
    return (hours * 3.6e9).astype("timedelta64[us]")


def _stamp(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
