"""What counts for a history feature: the one definition, for tables and for single cases.

A case at time t is asked about at t - `data.asked_before`. The value of an earlier case at t' is known at t' plus its
delay. It counts for the later case if both have the same keys and it became known in the feature's span before the
moment a of looking back, a - `over` ≤ known < a, where a is the moment of asking for labels, and t for numbers and for
the cases themselves. So a case of the same time never counts, and neither does the case itself.

Sums are kept as whole numbers of 2^-32, so that the same cases give the same sum, to the bit, in any order
of adding.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from noria.config.durations import microseconds
from noria.config.history import HistoryFeature, HistorySpec
from noria.history.cases import NO_TIME, Cases

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]
_PARTS = 2.0**32
_MOST = 1e15
_MOST_HOURS = 1e6


class Sums(NamedTuple):
    """Per case, how many earlier cases count, and the sum of their values in two whole numbers."""

    cases: Counts
    whole: Counts
    """(n,) sum of the values rounded down."""
    part: Counts
    """(n,) sum of the remainders, in 2^-32."""

    def plus(self, other: "Sums") -> "Sums":
        """The sums over the cases of both."""
        return Sums(self.cases + other.cases, self.whole + other.whole, self.part + other.part)


def feature_values(feature: HistoryFeature, cases: Cases) -> Numbers:
    """(n,) what each case adds to a feature: 1 to a count; NaN where its value is not known, or it has no time."""
    if feature.of is None:
        values = np.ones(len(cases))
    else:
        values = cases.numbers.get(feature.of, np.full(len(cases), np.nan))
        if feature.stat == "count":
            values = np.where(np.isnan(values), np.nan, 1.0)
        elif feature.stat == "rate":
            values = np.where(np.isnan(values), np.nan, (values > 0).astype(np.float64))
    return np.where(cases.times == NO_TIME, np.nan, values)


def known_at(spec: HistorySpec, feature: HistoryFeature, cases: Cases) -> Counts:
    """(n,) when the value of each case is known, in microseconds since 1970; of cases with a time."""
    delay: Counts = np.full(len(cases), spec.delay_us(feature), dtype=np.int64)
    column = spec.delay_column(feature)
    if column is not None:
        hours = cases.numbers[column]
        declared = np.rint(np.clip(np.nan_to_num(hours), 0, _MOST_HOURS) * 3_600e6).astype(np.int64)
        delay = np.where(np.isnan(hours), delay, declared)
    return cases.times + delay


def look_back(spec: HistorySpec, feature: HistoryFeature, times: Counts) -> tuple[Counts, Counts]:
    """(n,) first moment and end of the span of n cases with these times."""
    end = times - spec.lead_us(feature)
    return end - microseconds(feature.over), end


def split_number(values: Numbers) -> tuple[Counts, Counts]:
    """Numbers as whole numbers and remainders in 2^-32; beyond ±10^15 a number counts as that."""
    values = np.clip(values, -_MOST, _MOST)
    whole = np.floor(values)
    return whole.astype(np.int64), np.rint((values - whole) * _PARTS).astype(np.int64)


def finish(feature: HistoryFeature, sums: Sums, times: Counts) -> Numbers:
    """(n,) the feature of n cases, NaN for a case without a time."""
    total = sums.whole + sums.part / _PARTS
    if feature.stat == "count":
        found = sums.cases.astype(np.float64)
    elif feature.stat == "sum":
        found = total
    else:
        found = np.divide(total, sums.cases, out=np.full(len(total), np.nan), where=sums.cases > 0)
    return np.where(times == NO_TIME, np.nan, found)


def sums_before(spec: HistorySpec, feature: HistoryFeature, past: Cases, asked: Cases) -> Sums:
    """The sums of one feature for n asked cases over m earlier ones, in (n + m) log m steps."""
    values = feature_values(feature, past)
    counted = np.flatnonzero(~np.isnan(values))
    past, values = past.take(counted), values[counted]
    group, asked_group = _groups(feature, past, asked)
    moments, rank = np.unique(known_at(spec, feature, past), return_inverse=True)
    # group and moment as one number: the place of the moment among all moments of the past
    width = len(moments) + 1
    place = group * width + rank
    order = np.argsort(place, kind="stable")
    place = place[order]
    whole, part = (_running(each[order]) for each in split_number(values))
    has_time = asked.times != NO_TIME
    start, end = (
        np.searchsorted(place, asked_group * width + np.searchsorted(moments, moment, side="left"), side="left")
        for moment in look_back(spec, feature, np.where(has_time, asked.times, 0))
    )
    end = np.where(has_time, end, start)
    return Sums((end - start).astype(np.int64), whole[end] - whole[start], part[end] - part[start])


def _running(values: Counts) -> Counts:
    return np.concatenate([[0], np.cumsum(values)])


def _groups(feature: HistoryFeature, past: Cases, asked: Cases) -> tuple[Counts, Counts]:
    """The same number for cases with the same keys."""
    both = np.zeros(len(past) + len(asked), dtype=np.int64)
    for column in feature.by:
        known: dict[str | None, int] = {}
        coded = []
        for codes, texts in (past.keys[column], asked.keys[column]):
            joint = np.array([known.setdefault(text, len(known)) for text in texts] or [0], dtype=np.int64)
            coded.append(joint[codes])
        both = both * len(known) + np.concatenate(coded)
        both = np.unique(both, return_inverse=True)[1].astype(np.int64)
    return both[: len(past)], both[len(past) :]
