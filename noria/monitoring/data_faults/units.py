"""A unit that changed: all values of a number are multiplied, or converted as temperatures are.

The batch is compared with the earlier values after each conversion (Kolmogorov–Smirnov); a conversion is recognised
where the values fit after it and are far off without it.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.monitoring.data_faults.change_points import onset
from noria.monitoring.data_faults.fault import DataFault
from noria.monitoring.data_faults.rows import Rows
from noria.monitoring.data_faults.two_samples import follows_time, is_far, is_near, ks_distance
from noria.monitoring.drift_summary import number

Floats = NDArray[np.float64]


class Conversion(NamedTuple):
    """New value = `offset` + `factor` × old value."""

    factor: float
    offset: float = 0.0
    meaning: str = ""


_FACTORS = {
    10.0: "",
    100.0: "as from euros to cents",
    1_000.0: "as from kilograms to grams",
    1_000_000.0: "as from millions to ones",
    1.609344: "as from miles to kilometres",
    2.20462: "as from kilograms to pounds",
    3.28084: "as from metres to feet",
    2.54: "as from inches to centimetres",
    25.4: "as from inches to millimetres",
    3.6: "as from metres per second to kilometres per hour",
    12.0: "as from years to months",
    7.0: "as from weeks to days",
    24.0: "as from days to hours",
    60.0: "as from hours to minutes",
    3_600.0: "as from hours to seconds",
    86_400.0: "as from days to seconds",
}
_TEMPERATURES = [
    Conversion(1.8, 32.0, "as from °C to °F"),
    Conversion(1 / 1.8, -32 / 1.8, "as from °F to °C"),
    Conversion(1.0, 273.15, "as from °C to kelvin"),
    Conversion(1.0, -273.15, "as from kelvin to °C"),
]
_SURE = 5.0
"""A factor beyond this is no growth of the world; a smaller one must set in from one row to the next."""
_LEAST = 1.4
_SNAP = 0.35
"""How far (in logarithms) sampling may carry the factor that the values show from the true one."""
_FEWEST = 30
_STEP = 5
_CLEAR = 1.5
_BETTER = 1.5
_USUAL = (0.01, 0.99)
_LOOSE = 0.5
"""A series whose rows resemble those before them wanders this far (Kolmogorov–Smirnov) from one batch to the next."""
_EVIDENCE = 30.0
"""Least log likelihood ratio of the converted values against those as they came."""


def unit_changes(before: Rows, batch: Rows, recent: Rows, learned: Rows, *, adjacent: bool) -> list[DataFault]:
    """The numbers of `batch` that are those of `before` in another unit.

    Args:
        before: rows that are taken to be right.
        batch: newer rows.
        recent: all rows of the window, to find since when.
        learned: a sample of the rows that the model learned. A series that wanders, such as the weather, has only
            moved as long as most of its values lie among these; and so have values with a small factor of no unit.
        adjacent: whether `before` are the rows just before the batch; against older ones only conversions count that
            no growth explains.
    """
    faults = []
    for name in batch.numbers:
        then, now = before.sorted_numbers[name], batch.sorted_numbers[name]
        if min(len(then), len(now)) < _FEWEST or then[0] == then[-1] or now[0] == now[-1]:
            continue
        plain = ks_distance(then, now)
        if not is_far(plain, len(then), len(now)):
            continue
        is_new = adjacent and _is_out_of_range(now, learned.sorted_numbers.get(name, then))
        series = before.numbers[name], batch.numbers[name]
        if follows_time(series[1]) or (adjacent and follows_time(series[0])):
            found = _step_conversion(then, now, *series) if is_new else None
        else:
            found = _best_conversion(then, now, adjacent=adjacent, is_new=is_new)
        if found is None or found[1] * _BETTER > plain:
            continue
        if float(np.sum(_evidence(now, then, found[0]))) >= _EVIDENCE:
            faults.append(_fault(name, found[0], (plain, found[1]), (then, now), recent))
    return faults


def _best_conversion(then: Floats, now: Floats, *, adjacent: bool, is_new: bool) -> tuple[Conversion, float] | None:
    """The conversion that fits, with its distance: a known one before a mere factor.

    A small factor that is no known one counts only where the values are new (`is_new`).
    """
    known = [*_TEMPERATURES, *_known_factors(then, now, least=1.0 if adjacent else _SURE)]
    found = [factor for factor in _factors(then, now) if is_new or max(factor, 1 / factor) >= _SURE]
    free = [Conversion(factor) for factor in found if adjacent]
    for candidates in (known, free):
        tried = [(each, _distance(each, then, now)) for each in candidates]
        best = min(tried, key=lambda each: each[1], default=None)
        if best is not None and is_near(best[1], len(then), len(now)):
            return best
    return None


def _step_conversion(then: Floats, now: Floats, before: Floats, batch: Floats) -> tuple[Conversion, float] | None:
    """The known conversion that takes away the jump of a series whose rows resemble those before them.

    Such a series wanders, so its values need not fit as well as those of independent rows.
    """
    tried = [
        (each, _distance(each, then, now), float(np.sum(_evidence(now, then, each))))
        for each in [*_TEMPERATURES, *_known_factors(then, now, least=1.0)]
        if _is_step(before, batch, each)
    ]
    best = max(tried, key=lambda each: each[2], default=None)
    return best[:2] if best is not None and best[1] <= _LOOSE else None


def _is_out_of_range(now: Floats, usual: Floats) -> bool:
    """Whether at least half of the values lie beyond nearly all usual ones."""
    if not len(usual):
        return True
    low, high = np.quantile(usual, _USUAL)
    return float(np.mean((now < low) | (now > high))) >= 0.5


def _distance(conversion: Conversion, then: Floats, now: Floats) -> float:
    return ks_distance(np.sort(conversion.offset + conversion.factor * then), now)


def _known_factors(then: Floats, now: Floats, *, least: float) -> Iterator[Conversion]:
    """The conversions whose factor, at least `least` or its inverse, lies near the one that the values show."""
    for shown in _factors(then, now)[:1]:
        for factor, meaning in _FACTORS.items():
            if factor >= least and abs(math.log(shown / factor)) < _SNAP:
                yield Conversion(factor, 0.0, meaning)
            if factor >= least and abs(math.log(shown * factor)) < _SNAP:
                yield Conversion(1 / factor, 0.0, _reversed(meaning))


def _factors(then: Floats, now: Floats) -> list[float]:
    """Ratios of the values that are not zero: in the middle of their logarithms, and at the upper end."""
    then, now = np.abs(then[then != 0]), np.abs(now[now != 0])
    if min(len(then), len(now)) < _FEWEST:
        return []
    middle = [np.quantile(np.log(values), np.linspace(0.1, 0.9, 17)) for values in (then, now)]
    upper = [float(np.quantile(values, 0.9)) for values in (then, now)]
    found = [math.exp(float(np.median(middle[1] - middle[0]))), upper[1] / upper[0]]
    return [factor for factor in found if max(factor, 1 / factor) >= _LEAST]


def _is_step(before: Floats, batch: Floats, conversion: Conversion) -> bool:
    """Whether the series jumps where the batch begins, further than it ever does, and not if it is converted back."""
    series = pd.Series(np.concatenate([before, batch])).dropna()
    place = int((~np.isnan(before)).sum())
    middles = series.rolling(_STEP).median().to_numpy()
    jumps = np.abs(middles[_STEP:] - middles[:-_STEP])
    at_start = _jump(before, batch)
    back = _jump(before, (batch - conversion.offset) / conversion.factor)
    usual = float(np.nanquantile(jumps[: max(place - _STEP, 1)], 0.99))
    return at_start > _CLEAR * usual and back <= usual


def _jump(before: Floats, batch: Floats) -> float:
    """The distance between the medians of the last and the first rows."""
    ends = before[~np.isnan(before)][-_STEP:], batch[~np.isnan(batch)][:_STEP]
    return abs(float(np.median(ends[1])) - float(np.median(ends[0])))


def _reversed(meaning: str) -> str:
    """ "as from A to B" → "as from B to A"."""
    left, found, right = meaning.removeprefix("as from ").partition(" to ")
    return f"as from {right} to {left}" if found else meaning


def _fault(
    name: str, conversion: Conversion, distances: tuple[float, float], values: tuple[Floats, Floats], recent: Rows
) -> DataFault:
    then, now = values
    start = onset(_evidence(recent.numbers[name], then, conversion))
    meaning = f" ({conversion.meaning})" if conversion.meaning else ""
    if conversion.offset:
        looks = f"looks converted{meaning}"
    elif conversion.factor > 1:
        looks = f"looks {number(conversion.factor)} times larger{meaning}"
    else:
        looks = f"looks {number(1 / conversion.factor)} times smaller{meaning}"
    medians = float(np.median(then)), float(np.median(now))
    return DataFault(
        kind="unit_changed",
        columns=[name],
        since=recent.time_of(start),
        sentence=f"`{name}` {looks}{{since}}: median {number(medians[0])} before, {number(medians[1])} since then.",
        figures={
            "factor": conversion.factor,
            "offset": conversion.offset,
            "median before": medians[0],
            "median since": medians[1],
            "distance": distances[0],
            "distance after conversion": distances[1],
        },
    )


def _evidence(values: Floats, then: Floats, conversion: Conversion) -> Floats:
    """(n,) the log likelihood ratio of each value: converted against not."""
    back = (values - conversion.offset) / conversion.factor
    scores = _log_density(back, then) - math.log(abs(conversion.factor)) - _log_density(values, then)
    return np.where(np.isclose(back, values), 0.0, np.clip(scores, -6, 6))


def _log_density(values: Floats, then: Floats) -> Floats:
    """A histogram of 20 bins within the range of `then`, and a heavy tail beyond it."""
    edges = np.unique(np.quantile(then, np.linspace(0, 1, 21)))
    counts, _ = np.histogram(then, edges)
    density = np.log((counts + 0.5) / counts.sum() / np.diff(edges))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(density) - 1)
    reach = float(edges[-1] - edges[0])
    beyond = np.maximum(np.maximum(edges[0] - values, values - edges[-1]), 0) + reach
    inside = (values >= edges[0]) & (values <= edges[-1])
    found: Floats = np.where(inside, density[place], math.log(0.01 * reach) - 2 * np.log(beyond))
    return found
