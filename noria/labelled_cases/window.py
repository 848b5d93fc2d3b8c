"""The rows that are young enough to learn from."""

import numpy as np
import pandas as pd

from noria.config.data import DataConfig
from noria.tabular.types import without_zone


def within_window(frame: pd.DataFrame, data: DataConfig) -> pd.DataFrame:
    """The rows that `data.window` keeps: up to that many days older than the newest; the index begins at 0.

    Rows without a readable time stay, so that validation names them. All rows stay if the column holds no dates.
    """
    if data.window == "all" or data.time is None or data.time not in frame:
        return frame
    times = without_zone(frame[data.time])
    if not pd.api.types.is_datetime64_any_dtype(times) or times.isna().all():
        return frame
    old = times < times.max() - pd.Timedelta(days=data.window.days)
    return frame[~np.asarray(old, dtype=bool)].reset_index(drop=True)
