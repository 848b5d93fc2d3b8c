"""How a column moved, in the figure that shows it best."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from noria.monitoring.null_distribution import spread
from noria.reporting import number as exact
from noria.reporting import percent

if TYPE_CHECKING:
    import pandas as pd

MISSING = "(missing)"
_NOTICEABLE = 0.05  # in standard deviations; a smaller change of the middle shows better in the spread
_LARGEST = 1e9
_TWO = 2  # of a column with two values only the mean tells anything


def number(value: float) -> str:
    """A number with three significant digits: 1,890 or 70.3 or 0.042."""
    return exact(value, 3) if abs(value) < _LARGEST else f"{value:.2g}"


def largest_number_change(reference: "pd.Series[float]", current: "pd.Series[float]") -> tuple[str, str, str]:
    """(figure, before, after) of two samples of a number without missing values, neither empty."""
    unit = spread(reference)

    def changed(quantity: Callable[["pd.Series[float]"], Any]) -> tuple[str, str] | None:
        before, after = float(quantity(reference)), float(quantity(current))
        noticeable = math.isfinite(after) and abs(after - before) >= _NOTICEABLE * unit
        return (number(before), number(after)) if noticeable else None

    if reference.nunique() > _TWO and (medians := changed(lambda values: values.median())):
        return "median", *medians
    if means := changed(lambda values: values.mean()):
        return "mean", *means
    if changed(lambda values: values.quantile(0.25)) or changed(lambda values: values.quantile(0.75)):
        return "middle half", _middle_half(reference), _middle_half(current)
    return "mean", number(float(reference.mean())), number(float(current.mean()))


def largest_category_change(reference: "pd.Series[str]", current: "pd.Series[str]") -> tuple[str, str, str]:
    """(category, share before, share now) of the category whose share changed most."""
    before, after = reference.value_counts(normalize=True), current.value_counts(normalize=True)
    category = after.sub(before, fill_value=0).abs().idxmax()
    shares = (percent(float(shares.get(category, 0.0)), 0) for shares in (before, after))
    return (str(category), *shares)  # type: ignore[return-value]


def _middle_half(values: "pd.Series[float]") -> str:
    low, high = values.quantile([0.25, 0.75])
    return f"{number(float(low))} to {number(float(high))}"
