"""Which rows are learned from, and how much they weigh, by their age."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config.data import WindowConfig
from noria.system.errors import NoriaError
from noria.tabular.names import require_columns
from noria.tabular.types import without_zone

Floats = NDArray[np.float64]
FEWEST_ROWS = 50
"""Fewest rows that a window may leave to learn from, counted as `effective_rows`."""


def within_window(frame: pd.DataFrame, window: WindowConfig | None, time: str | None) -> pd.DataFrame:
    """The rows up to `window.days` older than the newest of them, with an index from 0; the frame itself if all are.

    Rows without a time stay, because their age is not known.

    Args:
        frame: n rows.
        window: the window; None: all rows.
        time: `data.time`.

    Raises:
        NoriaError: `data.window_time_not_date` if that column holds no dates.

    >>> days = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=30)})
    >>> len(within_window(days, WindowConfig(days=10), "day"))
    11
    """
    inside = inside_window(frame, window, time)
    return frame if inside.all() else frame[inside].reset_index(drop=True)


def inside_window(frame: pd.DataFrame, window: WindowConfig | None, time: str | None) -> NDArray[np.bool_]:
    """(n,) which rows `within_window` keeps, with the same arguments and errors."""
    if window is None or window.days is None or not len(frame):
        return np.ones(len(frame), dtype=bool)
    return ~(age_days(frame, time) > window.days)


def age_weights(frame: pd.DataFrame, window: WindowConfig | None, time: str | None) -> Floats | None:
    """(n,) the weight of each row in training: 0.5 ** (age / half-life), where the newest row has the age 0.

    A row without a time has the mean weight of the others. None where all rows weigh the same.

    Args:
        frame: n rows.
        window: the window; None: all rows weigh the same.
        time: `data.time`.

    Raises:
        NoriaError: `data.window_time_not_date` if that column holds no dates.

    >>> days = pd.DataFrame({"day": pd.to_datetime(["2026-01-01", "2026-01-31", "2026-03-02"])})
    >>> age_weights(days, WindowConfig(half_life_days=30), "day").tolist()
    [0.25, 0.5, 1.0]
    """
    if window is None or window.half_life_days is None or not len(frame):
        return None
    weights = 0.5 ** (age_days(frame, time) / window.half_life_days)
    unknown = np.isnan(weights)
    return np.where(unknown, weights[~unknown].mean(), weights)


def effective_rows(weights: Floats) -> float:
    """How many rows of equal weight give as exact a mean as these rows: (sum of weights)² / sum of squares.

    Source: L. Kish, Survey sampling, 1965.
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def require_rows(train: pd.DataFrame, window: WindowConfig | None, time: str | None) -> float:
    """How many rows the training rows within a window count as.

    Args:
        train: n training rows, those outside the window left out.
        window: the window; None: all rows.
        time: `data.time`.

    Raises:
        NoriaError: `data.window_too_short` if they are too few to learn from.
    """
    weights = age_weights(train, window, time)
    count = float(len(train)) if weights is None else effective_rows(weights)
    if window is not None and count < FEWEST_ROWS:
        raise NoriaError(
            f"`data.window` ({window}) leaves rows to learn from that count as {count:,.0f}; {FEWEST_ROWS} are needed",
            code="data.window_too_short",
            where="data.window",
            fix="give a longer window, or `auto`, which chooses one",
        )
    return count


def age_days(frame: pd.DataFrame, time: str | None) -> Floats:
    """(n,) days from each row to the newest; NaN where a row has no time."""
    column = str(time)
    require_columns(frame, [("data.time", column)])
    times = without_zone(frame[column])
    if not pd.api.types.is_datetime64_any_dtype(times) or times.isna().all():
        raise NoriaError(
            f"column `{column}` holds no dates, and `data.window` counts days",
            code="data.window_time_not_date",
            where="data.time",
            fix=f"declare `{column}: {{type: datetime}}` in data.expectations.columns, or write `window: all`",
        )
    return np.asarray((times.max() - times) / pd.Timedelta(days=1), dtype=np.float64)
