"""How one column relates to the target.

Strength is the share of what is open about the target that knowing the column alone settles, so that columns of all
kinds can be compared:

- for classes the uncertainty coefficient, mutual information over the entropy of the target (Theil 1970), with the
  Miller-Madow correction for small samples (Miller 1955);
- for numbers epsilon squared, the share of the target's variance between groups, corrected for chance (Kelley 1935).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from noria.config import UseCase
from noria.config.problem import BinaryProblem
from noria.config.section import Section
from noria.reporting.formats import NOTHING, number

Codes = npt.NDArray[np.intp]
Show = Callable[[float], str]
Floats = npt.NDArray[np.float64]
MISSING = "(missing)"
_Z95 = 1.96
_RANGES = 10
_FINE_RANGES = 20
_VALUES = 12
_CATEGORIES = 24


class LevelSummary(Section):
    """Rows that share a value, or whose values lie in one range, and how the target turned out for them."""

    label: str
    """The value, or the range of values."""
    position: float | None = None
    """Median of the numbers in the range (epoch seconds for dates)."""
    rows: int
    """How many rows."""
    answer: list[float]
    """Binary: share of the positive class; regression: mean of the target; multiclass: share of each class."""
    low: float | None = None
    """Lower end of the 95 % interval of the answer (binary and regression)."""
    high: float | None = None
    """Upper end."""


@dataclass(frozen=True)
class TargetSample:
    """The target of the sampled rows: codes of `classes` (n,), or numbers (n,) if there are no classes."""

    values: Codes | Floats
    classes: list[str]
    positive: str | None

    @classmethod
    def of(cls, target: pd.Series, use_case: UseCase) -> "TargetSample":
        """The target as codes, the most frequent class first, or as numbers."""
        if use_case.problem.task == "regression":
            return cls(target.to_numpy(dtype=np.float64), [], None)
        classes = [str(label) for label in target.astype(str).value_counts().index]
        codes = pd.Index(classes).get_indexer(pd.Index(target.astype(str)))
        problem = use_case.problem
        return cls(codes, classes, str(problem.positive) if isinstance(problem, BinaryProblem) else None)

    @property
    def sortable(self) -> bool:
        """True if the answer is one number."""
        return not self.classes or self.positive in self.classes

    def answer(self, rows: npt.NDArray[np.bool_] | slice = slice(None)) -> list[float]:
        """What the target turned out to be for some rows."""
        values = self.values[rows]
        if not self.classes:
            return [float(values.mean())]
        shares = np.bincount(values.astype(np.intp), minlength=len(self.classes)) / max(1, len(values))
        return [float(shares[self.classes.index(self.positive)])] if self.positive in self.classes else shares.tolist()

    def interval(self, rows: npt.NDArray[np.bool_]) -> tuple[float, float] | tuple[None, None]:
        """95 % interval of a share (Wilson 1927) or a mean; none for several classes."""
        count = int(rows.sum())
        if not self.classes:
            error = float(self.values[rows].std(ddof=1)) / np.sqrt(count) if count > 1 else 0.0
            mean = self.answer(rows)[0]
            return mean - _Z95 * error, mean + _Z95 * error
        if self.positive is None:
            return None, None
        share = self.answer(rows)[0]
        middle = share + _Z95**2 / (2 * count)
        half = _Z95 * np.sqrt(share * (1 - share) / count + _Z95**2 / (4 * count**2))
        scale = 1 + _Z95**2 / count
        return float((middle - half) / scale), float((middle + half) / scale)


def target_association(codes: Codes, outcome: TargetSample) -> float:
    """What the grouping `codes` (n,) tells about the target, from 0 (nothing) to 1 (everything)."""
    if outcome.classes:
        return _uncertainty_coefficient(codes, outcome.values.astype(np.intp))
    return _epsilon_squared(codes, outcome.values.astype(np.float64))


def association_groups(values: pd.Series) -> Codes:
    """Groups for `target_association`: values, or twenty equally full ranges of numbers; missing is a group."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return pd.factorize(values, use_na_sentinel=False)[0]
    return _range_codes(values.to_numpy(dtype=np.float64), _FINE_RANGES)[0]


def target_by_level(
    values: pd.Series, outcome: TargetSample, *, as_category: bool, show: Show = number
) -> list[LevelSummary]:
    """How the target turns out by value (few values, or a category) or by range (numbers, dates as epoch seconds).

    Args:
        values: n values; of a category, strings.
        outcome: the target of the same n rows.
        as_category: show single values, those with the highest answer first (several classes: the most frequent),
            instead of ranges.
        show: how a number is written.
    """
    if as_category:
        codes, labels = _value_codes(values)
        positions: list[float | None] = [None] * len(labels)
    elif values.nunique() <= _VALUES:
        found, uniques = pd.factorize(values, sort=True)
        codes = np.where(found < 0, len(uniques), found)
        labels, positions = [show(float(v)) for v in uniques] + [MISSING], [*map(float, uniques), None]
    else:
        codes, labels, positions = _ranges(values.to_numpy(dtype=np.float64), show)
    made = []
    for code, (label, position) in enumerate(zip(labels, positions, strict=True)):
        rows = codes == code
        if rows.any():
            low, high = outcome.interval(rows)
            made.append(
                LevelSummary(
                    label=label,
                    position=position,
                    rows=int(rows.sum()),
                    answer=outcome.answer(rows),
                    low=low,
                    high=high,
                )
            )
    if as_category and outcome.sortable:
        # the catch-alls stay at the end
        made.sort(key=lambda level: (level.label in labels[-2:], -level.answer[0]))
    return made


def _value_codes(values: pd.Series) -> tuple[Codes, list[str]]:
    counts = values.value_counts()
    shown = counts.index[:_CATEGORIES] if len(counts) > _CATEGORIES + 1 else counts.index
    codes = pd.Index(shown).get_indexer(pd.Index(values))
    others = len(counts) - len(shown)
    codes = np.where(codes < 0, len(shown), codes)
    codes = np.where(values.isna(), len(shown) + 1, codes)
    return codes, [*map(str, shown), f"({others} others)", MISSING]


def _ranges(values: Floats, show: Show) -> tuple[Codes, list[str], list[float | None]]:
    codes, groups = _range_codes(values, _RANGES)
    labels, positions = [], []
    for code in range(groups):
        members = values[codes == code]
        positions.append(float(np.median(members)) if len(members) else None)
        ends = dict.fromkeys([show(members.min()), show(members.max())]) if len(members) else [NOTHING]
        labels.append(" to ".join(ends))
    return codes, [*labels, MISSING], [*positions, None]


def _range_codes(values: Floats, ranges: int) -> tuple[Codes, int]:
    """Equally full ranges (ties stay together), and missing values as a last group of their own."""
    present = ~np.isnan(values)
    steps = np.linspace(0, 1, ranges + 1)[1:]
    edges: Floats = np.unique(np.quantile(values[present], steps)) if present.any() else np.empty(0)
    codes = np.searchsorted(edges, values, side="left")
    return np.where(present, codes, len(edges)), len(edges)


def _uncertainty_coefficient(x: Codes, y: Codes) -> float:
    table = np.bincount(x * (y.max() + 1) + y, minlength=(x.max() + 1) * (y.max() + 1)).reshape(-1, y.max() + 1)
    open_before = _entropy(table.sum(axis=0))
    if open_before <= 0:
        return 0.0
    settled = open_before + _entropy(table.sum(axis=1)) - _entropy(table.ravel())
    return float(np.clip(settled / open_before, 0, 1))


def _entropy(counts: npt.NDArray[np.int64]) -> float:
    """Entropy in nats, with the Miller-Madow correction."""
    seen = counts[counts > 0]
    shares = seen / seen.sum()
    return float(-(shares * np.log(shares)).sum() + (len(seen) - 1) / (2 * seen.sum()))


def _epsilon_squared(x: Codes, y: Floats) -> float:
    rows, sums = np.bincount(x), np.bincount(x, weights=y)
    groups = int((rows > 0).sum())
    total = float(((y - y.mean()) ** 2).sum())
    if total == 0 or len(y) <= groups:
        return 0.0
    means = sums / np.maximum(rows, 1)
    within = float(((y - means[x]) ** 2).sum())
    return float(np.clip(1 - (within / (len(y) - groups)) / (total / (len(y) - 1)), 0, 1))
