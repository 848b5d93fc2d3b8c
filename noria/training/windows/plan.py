"""What a backtest of windows compares: periods of the past, windows, and what it may cost."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.config.data import WindowConfig
from noria.config.durations import microseconds
from noria.data.window import effective_rows
from noria.tabular.types import without_zone

Rows = NDArray[np.intp]
Moments = NDArray[np.int64]
_DAY_US = 86_400_000_000
_PERIODS, _FEWEST_PERIODS = 12, 6
_FEWEST_JUDGED = 50
"""Rows of a period."""
_FEWEST_LEARNED = 200
"""Rows that a model of a window learns from, counted as `effective_rows`."""
_JUDGED_SHARE = 0.5
"""The newest part of the training rows, which is judged."""
_PARTS = (2, 4, 8)
"""Spans and half-lives, as parts of the time before the first period."""
_ROUND_DAYS = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 545, 730, 1095, 1460, 1825, 2920, 3650)
_COST_SHARE = 0.5
"""The most that a backtest may cost, as a share of what a training fits …"""
_ALWAYS = 100_000
"""… or this many rows, where that is more: some seconds."""
_FINAL_FITS = 3
"""Fits of a training besides cross-validation and tuning: the judged one, the served one, and one for the gate."""
LIGHTER = 3
"""A model of many trees has so many times fewer in a backtest."""


MANY_TREES = frozenset({"xgboost", "forest"})


@dataclass(frozen=True)
class Times:
    """When each of n rows happened, was asked about and got its label, in microseconds since 1970 (UTC)."""

    happened: Moments
    asked: Moments
    known: Moments


@dataclass(frozen=True)
class Period:
    """One period of the past, its rows and those that a model could learn from when it began."""

    start: int
    """When it begins, in microseconds since 1970."""
    judged: Rows
    """Places of the rows that were asked about in it."""
    known: Rows
    """Places of the rows whose label was known when it began."""


@dataclass(frozen=True)
class Plan:
    """A backtest of windows: what is fitted and judged, and what it costs."""

    times: Times
    periods: list[Period]
    windows: list[WindowConfig]
    """What is compared with all rows."""
    share: float
    """Share of the rows that the models learn from; the periods hold this sample."""
    cost: float
    """What it costs, as a share of what the training fits: rows × trees, or rows."""


def plan_of(train: pd.DataFrame, use_case: UseCase, kind: str) -> Plan | None:
    """The backtest of n training rows by a kind of model; None if they are too few to compare windows."""
    lighter = LIGHTER if kind in MANY_TREES else 1
    times = times_of(train, use_case)
    periods, training = past_periods(times), _rows_of_training(len(train), use_case)
    windows = windows_to_try(times, periods, use_case) if periods else []
    share = _share_to_learn(_rows_of_backtest(windows, periods, times) / lighter, training)
    # a small sample leaves fewer windows that can be compared
    windows = windows_to_try(times, periods, use_case, share) if windows else []
    if not windows:
        return None
    fitted = _rows_of_backtest(windows, periods, times) / lighter
    share = _share_to_learn(fitted, training)
    sample = _sampled(periods, share, len(train), use_case.models.seed)
    return Plan(times, sample, windows, share, fitted * share / training)


def times_of(train: pd.DataFrame, use_case: UseCase) -> Times:
    """The times of n training rows; `data.time` holds dates.

    The label of a row is known after `data.label_hours`, or `problem.label_delay_days` where that is missing.
    """
    data, usual = use_case.data, use_case.problem.label_delay_days * 24
    happened = without_zone(train[str(data.time)]).to_numpy(dtype="datetime64[us]").astype(np.int64)
    hours = np.full(len(train), usual)
    if data.label_hours is not None:
        given = train[data.label_hours].to_numpy(dtype=np.float64)
        hours = np.where(np.isfinite(given), given, usual)
    return Times(happened, happened - microseconds(data.asked_before), happened + np.rint(hours * 3.6e9).astype(int))


def past_periods(times: Times) -> list[Period]:
    """The newest half of the rows in periods of as many rows each; empty if they are too few."""
    order = np.sort(times.asked)
    first = round(len(order) * (1 - _JUDGED_SHARE))
    periods = min(_PERIODS, (len(order) - first) // _FEWEST_JUDGED)
    if periods < _FEWEST_PERIODS:
        return []
    starts = np.unique(order[np.linspace(first, len(order), periods, endpoint=False).astype(int)])
    ends = np.append(starts[1:], np.iinfo(np.int64).max)
    found = [
        Period(
            int(start),
            np.flatnonzero((times.asked >= start) & (times.asked < end)),
            np.flatnonzero(times.known <= start),
        )
        for start, end in zip(starts, ends, strict=True)
    ]
    enough = [each for each in found if len(each.judged) >= _FEWEST_JUDGED and len(each.known) >= _FEWEST_LEARNED]
    return enough if len(enough) >= _FEWEST_PERIODS else []


def windows_to_try(times: Times, periods: list[Period], use_case: UseCase, share: float = 1.0) -> list[WindowConfig]:
    """Spans and half-lives of a half, a quarter and an eighth of the time before the first period, in round days.

    Left out are those that leave too few rows in a period. A span is not shorter than `features.history` look back,
    since the service starts with the cases of the window. `share` of the rows will be learned from.
    """
    learned = times.happened[periods[0].known]
    before = (int(learned.max()) - int(learned.min())) / _DAY_US
    spec = use_case.history_spec()
    shortest = 0.0 if spec is None else spec.longest_us / _DAY_US
    lengths = sorted({min(_ROUND_DAYS, key=lambda each: abs(each - before / part)) for part in _PARTS}, reverse=True)
    lengths = [days for days in lengths if days < before]
    spans = [WindowConfig(days=days) for days in lengths if days >= shortest]
    halves = [WindowConfig(half_life_days=days) for days in lengths]
    return [
        each
        for each in [*spans, *halves]
        if all(share * _learned(each, times.happened[period.known]) >= _FEWEST_LEARNED for period in periods)
    ]


def rows_within(window: WindowConfig | None, known: Rows, times: Times) -> Rows:
    """The known rows that a window keeps."""
    if window is None or window.days is None:
        return known
    happened = times.happened[known]
    return np.asarray(known[happened >= happened.max() - window.days * _DAY_US], dtype=np.intp)


def _rows_of_backtest(windows: list[WindowConfig], periods: list[Period], times: Times) -> int:
    """How many rows all models of a backtest learn from, one row counted as often as it is fitted."""
    return sum(len(rows_within(each, period.known, times)) for period in periods for each in [None, *windows])


def _rows_of_training(rows: int, use_case: UseCase) -> float:
    """The same for a training: folds of a split by time grow evenly."""
    models = use_case.models
    competing = [each for kind, each in models.candidates.items() if kind != "dummy"]
    runs = sum(1 + (models.trials if each.tune else 0) for each in competing)
    return rows * (models.folds / 2 * runs + _FINAL_FITS)


def _share_to_learn(fitted: float, training: float) -> float:
    """The share of the rows that may be learned from, so that the cost stays within its bounds."""
    return min(1.0, max(_COST_SHARE * training, _ALWAYS) / max(fitted, 1))


def _sampled(periods: list[Period], share: float, rows: int, seed: int) -> list[Period]:
    """The same periods, whose models learn from a share of the rows."""
    if share >= 1:
        return periods
    drawn = np.random.default_rng(seed).random(rows) < share
    return [replace(each, known=each.known[drawn[each.known]]) for each in periods]


def _learned(window: WindowConfig, happened: Moments) -> float:
    age = (happened.max() - happened) / _DAY_US
    if window.half_life_days is None:
        return float((age <= float(window.days or 0)).sum())
    return effective_rows(0.5 ** (age / window.half_life_days))
