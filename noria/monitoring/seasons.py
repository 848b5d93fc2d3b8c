"""The same season of the training rows, where these reach over a year."""

from typing import Any

import numpy as np
import pandas as pd

_YEAR = 365.25
_SPAN = 350
_MARGIN = 15


def same_season(reference: pd.DataFrame, time: str | None, now: "pd.Series[Any]", fewest: int) -> pd.DataFrame | None:
    """The reference rows from the days of the year that the rows of now come from, 15 days more on either side.

    Args:
        reference: (m, …) training rows.
        time: the column with their time; None: there is none.
        now: times of the rows of now.
        fewest: so many rows are needed.

    Returns:
        None if the reference does not keep its times, spans less than a year, or has too few rows of the season.
    """
    if time is None or time not in reference.columns or not len(now):
        return None
    times = pd.to_datetime(reference[time], errors="coerce", utc=True)
    if times.isna().all() or (times.max() - times.min()).days < _SPAN:
        return None
    first, last = (moment.dayofyear for moment in (now.min(), now.max()))
    length = min((now.max() - now.min()).days, _YEAR)
    after = np.mod(times.dt.dayofyear - (first - _MARGIN), _YEAR)
    found = reference[(after <= length + 2 * _MARGIN).fillna(False)]
    return found if len(found) >= fewest and last else None
