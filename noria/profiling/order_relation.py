"""Does the order of a column's values go along with the target, as that of a measure does and that of a name does not?

Every different value counts once, with the mean outcome of its rows: the visits of a patient who is often ill do not
make the patient's number a measure. Two tests are combined, both with p-values in closed form:

- the rank correlation (Spearman 1904), for what rises or falls;
- the analysis of variance of ranks over ten ranges (Kruskal & Wallis 1952), for what has its peak in the middle.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
_RANGES = 10
_MOST_CLASSES = 10
_FEWEST = 10


@dataclass(frozen=True)
class OrderRelation:
    """How the order of a column's values goes along with the target."""

    strength: float
    """From 0 to 1: the rank correlation, or the root of the share of variance between ten ranges if that is more."""
    p_value: float
    """How likely chance alone would give so strong a relation."""


def outcomes(target: "pd.Series[Any]", *, is_number: bool) -> Floats:
    """(n, k) the target as numbers: itself, or for each of up to ten classes 1 where it occurred; NaN where missing."""
    if is_number:
        return target.to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, 1)
    texts = target.astype(str)
    classes = texts[target.notna()].value_counts().index
    # two classes are one question
    asked = classes[:1] if len(classes) == 2 else classes[:_MOST_CLASSES]
    found = np.column_stack([(texts == name).to_numpy(dtype=np.float64) for name in asked])
    found[target.isna().to_numpy()] = np.nan
    return found


def order_relation(values: "pd.Series[Any]", outcome: Floats) -> OrderRelation:
    """Test the order of n numbers against (n, k) outcomes; several are accounted for (Bonferroni)."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(numbers) & np.isfinite(outcome).all(axis=1)
    codes, different = pd.factorize(numbers[known], sort=True)
    if len(different) < _FEWEST:
        return OrderRelation(0.0, 1.0)
    rows = np.bincount(codes)
    tested = [_test(np.bincount(codes, weights=column) / rows) for column in outcome[known].T]
    strength, p_value = max(one[0] for one in tested), min(one[1] for one in tested)
    return OrderRelation(strength, min(1.0, p_value * len(tested)))


def group_effect(values: "pd.Series[Any]", outcome: Floats, *, in_ranges: bool = False) -> float:
    """p-value of the outcomes being as different between groups as they are (analysis of variance).

    Args:
        values: n names of groups, or numbers.
        outcome: (n, k) the target as numbers; several are accounted for (Bonferroni).
        in_ranges: compare each group with those of the same tenth of the rows by value alone (nested analysis of
            variance), so that a measure, whose outcome changes little from one value to the next, has no effect.
    """
    from scipy.stats import f

    known = np.isfinite(outcome).all(axis=1) & values.notna().to_numpy()
    codes, groups = pd.factorize(values[known], sort=in_ranges)
    ranges = _tenths(codes) if in_ranges else np.zeros(len(codes), dtype=np.intp)
    within, between = len(codes) - len(groups), len(groups) - len(np.unique(ranges))
    if within < 1 or between < 1:
        return 1.0
    found = [1.0]
    for column in outcome[known].T:
        total, left = _spread(column, ranges), _spread(column, codes)
        if total > 0:
            ratio = (total - left) / between / max(left / within, 1e-12 * total)
            found.append(float(f.sf(ratio, between, within)) * outcome.shape[1])
    return min(found)


def _tenths(codes: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Which tenth of the rows each group's middle row is in, by the order of the groups."""
    rows = np.bincount(codes)
    middle = np.cumsum(rows) - rows / 2
    return (middle * _RANGES / len(codes)).astype(np.intp)[codes]


def _spread(column: Floats, codes: npt.NDArray[np.intp]) -> float:
    """Sum of squares around the means of the groups."""
    means = np.bincount(codes, weights=column) / np.maximum(1, np.bincount(codes))
    return float(((column - means[codes]) ** 2).sum())


def _test(means: Floats) -> tuple[float, float]:
    """Strength and p-value for the mean outcomes of values in rising order."""
    from scipy.stats import chi2, rankdata, t

    many, ranks = len(means), rankdata(means)
    spread = float(((ranks - ranks.mean()) ** 2).sum())
    if spread == 0:
        return 0.0, 1.0
    rho = float(np.corrcoef(np.arange(many), ranks)[0, 1])
    by_rank = 2 * float(t.sf(abs(rho) * np.sqrt((many - 2) / max(1e-12, 1 - rho**2)), many - 2))
    ranges = min(_RANGES, many // 5)
    if ranges < 3:
        return abs(rho), by_rank
    place = np.arange(many) * ranges // many
    sizes = np.bincount(place)
    between = float((sizes * (np.bincount(place, weights=ranks) / sizes - ranks.mean()) ** 2).sum())
    statistic = (many - 1) * between / spread
    by_range = float(chi2.sf(statistic, ranges - 1))
    share = max(0.0, (statistic - (ranges - 1)) / (many - ranges))
    return max(abs(rho), min(1.0, share) ** 0.5), min(1.0, 2 * min(by_rank, by_range))
