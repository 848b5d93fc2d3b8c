"""Keeping the rows of a period: `data.since` and `data.until`."""

from datetime import datetime

import numpy as np
import pandas as pd

from noria.config.data import DataConfig
from noria.system import progress
from noria.system.errors import NoriaError
from noria.tabular.names import require_columns
from noria.tabular.types import without_zone


def within(frame: pd.DataFrame, data: DataConfig) -> pd.DataFrame:
    """The rows with `data.since` ≤ time < `data.until`, in their order, with an index from 0.

    Rows without a time are left out, with a warning: where they belong is not known.

    Raises:
        NoriaError: the column of the time is absent or holds no dates, or no row is left.
    """
    if data.since is None and data.until is None:
        return frame
    name = str(data.time)
    require_columns(frame, [("data.time", name)])
    if not pd.api.types.is_datetime64_any_dtype(frame[name]):
        raise NoriaError(
            f"column `{name}` holds no dates to compare with data.since and data.until",
            code="data.period_not_comparable",
            where="data.time",
            fix=f"declare `{name}: {{type: datetime}}` in data.expectations.columns, or name a column of dates",
        )
    times = without_zone(frame[name])
    kept = times.notna().to_numpy(dtype=bool, copy=True)
    if unknown := int((~kept).sum()):
        progress.warn(f"{unknown:,} rows without `{name}` are left out: whether they lie in the period is not known")
    if data.since is not None:
        kept &= (times >= _plain(data.since)).to_numpy(dtype=bool, na_value=False)
    if data.until is not None:
        kept &= (times < _plain(data.until)).to_numpy(dtype=bool, na_value=False)
    if not kept.any():
        raise NoriaError(
            f"no row lies in the period: `{name}` goes from {times.min()} to {times.max()}",
            code="data.period_empty",
            where="data.since, data.until",
            fix="move data.since or data.until",
        )
    return frame.iloc[np.flatnonzero(kept)].reset_index(drop=True)


def _plain(moment: datetime) -> pd.Timestamp:
    stamp = pd.Timestamp(moment)
    return stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)
