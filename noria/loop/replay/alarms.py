"""Alarms at which a model is retrained without regard to its cost: the rivals of a decision by price."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CONFIDENCE = 0.002
"""The default of the library river."""
_BUCKETS = 10
"""Parts of a period that are looked at one by one."""
_DRIFT_SHARE = 0.5
"""The default of Evidently's preset."""


class Adwin:
    """An alarm on errors whose mean has risen: adaptive windowing.

    The window's cuts are tried at its buckets, in place of an exponential histogram.

    Source: A. Bifet and R. Gavaldà, Learning from time-changing data with adaptive windowing, SDM 2007.

    >>> alarm = Adwin()
    >>> alarm.add(np.tile([0.0, 0.0, 0.0, 1.0], 200)), alarm.add(np.tile([0.0, 1.0], 400))
    (False, True)
    """

    def __init__(self) -> None:
        self._window: list[tuple[float, int]] = []

    def add(self, errors: Floats) -> bool:
        """Look at the errors (0 to 1) of one more period; has their mean risen?"""
        rose = False
        for bucket in np.array_split(errors, _BUCKETS):
            if len(bucket):
                self._window.append((float(bucket.sum()), len(bucket)))
                rose |= self._shrink()
        return rose

    def _shrink(self) -> bool:
        """Drop what differs from the newest part of the window; is the newest part higher?"""
        rose = False
        while len(self._window) > 1:
            sums, counts = np.cumsum(np.array(self._window), axis=0).T
            total, size = sums[-1], counts[-1]
            before, after = sums[:-1] / counts[:-1], (total - sums[:-1]) / (size - counts[:-1])
            mean = total / size
            harmonic = 1 / (1 / counts[:-1] + 1 / (size - counts[:-1]))
            log = np.log(2 * np.log(size) / _CONFIDENCE)
            spread = mean * (1 - mean)  # at most, of values between 0 and 1
            cut = np.abs(after - before) > np.sqrt(2 / harmonic * spread * log) + 2 / (3 * harmonic) * log
            if not cut.any():
                break
            last = int(np.flatnonzero(cut)[-1])
            rose |= bool(after[last] > before[last])
            self._window = self._window[last + 1 :]
        return rose


def half_the_columns_drifted(reference: pd.DataFrame, current: pd.DataFrame) -> bool:
    """Whether Evidently's DataDriftPreset, as it is by default, finds that the table has drifted.

    By default these are half of the columns, each by a test that Evidently picks by the type and the number of values.
    It tests numbers and categories; dates, which always move on, are left out.

    Args:
        reference: (m, k) rows that the model in service has learned; columns without any value are left out.
        current: (n, k) newer rows.

    >>> rows = pd.DataFrame({"age": np.arange(2000.0), "speed": np.arange(2000.0) % 7})
    >>> half_the_columns_drifted(rows, rows[::2]), half_the_columns_drifted(rows, rows + 900)
    (False, True)
    """
    import json
    import warnings

    from evidently import Dataset, Report  # takes seconds
    from evidently.presets import DataDriftPreset

    filled = [
        name
        for name in reference
        if reference[name].notna().any()
        and current[name].notna().any()
        and not pd.api.types.is_datetime64_any_dtype(reference[name])
    ]
    sets = [Dataset.from_pandas(_plain(frame[filled])) for frame in (current, reference)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = json.loads(Report([DataDriftPreset()]).run(*sets).json())["metrics"]
    counts: list[Any] = [each["value"] for each in found if each["config"]["type"].endswith(":DriftedColumnsCount")]
    return bool(counts[0]["share"] >= _DRIFT_SHARE)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as floats and everything else as text, the two types that Evidently compares."""
    numbers = {name: frame[name].astype(np.float64) for name in frame if pd.api.types.is_numeric_dtype(frame[name])}
    others = {name: frame[name].astype(object).map(str, na_action="ignore") for name in frame if name not in numbers}
    return pd.DataFrame({**numbers, **others}).reset_index(drop=True)
