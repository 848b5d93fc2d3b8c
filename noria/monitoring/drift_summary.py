"""How a column moved, in the figure that shows it best."""

import math
from typing import TYPE_CHECKING

from noria.monitoring.null_distribution import spread
from noria.reporting import number as exact
from noria.reporting import percent

if TYPE_CHECKING:
    import pandas as pd

    from noria.monitoring.window_totals import NumberTotals

MISSING = "(missing)"
_NOTICEABLE = 0.05  # in standard deviations; a smaller change of the middle shows better in the spread
_LARGEST = 1e9
_TWO = 2  # of a column with two values only the mean tells anything


def number(value: float) -> str:
    """A number with three significant digits: 1,890 or 70.3 or 0.042."""
    return exact(value, 3) if abs(value) < _LARGEST else f"{value:.2g}"


def largest_number_change(reference: "pd.Series[float]", current: "NumberTotals") -> tuple[str, str, str]:
    """(figure, before, after) of two samples of a number: one without missing values, not empty, and the totals."""
    unit = spread(reference)

    def changed(before: float, after: float) -> tuple[str, str] | None:
        noticeable = math.isfinite(after) and abs(after - before) >= _NOTICEABLE * unit
        return (number(before), number(after)) if noticeable else None

    means = float(reference.mean()), current.mean
    quarters = [(float(reference.quantile(share)), current.quantile(share)) for share in (0.25, 0.5, 0.75)]
    if reference.nunique() > _TWO and (shown := changed(*quarters[1])):
        return "median", *shown
    if shown := changed(*means):
        return "mean", *shown
    if changed(*quarters[0]) or changed(*quarters[2]):
        before, after = (f"{number(low)} to {number(high)}" for low, high in zip(quarters[0], quarters[2], strict=True))
        return "middle half", before, after
    return "mean", number(means[0]), number(means[1])


def largest_category_change(reference: "pd.Series[int]", current: "pd.Series[int]", rows: int) -> tuple[str, str, str]:
    """(category, share before, share now) of the category whose share changed most, from category → rows."""
    before, after = reference / reference.sum(), current / rows
    category = after.sub(before, fill_value=0).abs().idxmax()
    shares = (percent(float(shares.get(category, 0.0)), 0) for shares in (before, after))
    return (str(category), *shares)  # type: ignore[return-value]
