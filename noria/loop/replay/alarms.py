"""Alarms at which a model is retrained without regard to its cost: the rivals of a decision by price."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CONFIDENCE = 0.002
"""The default of the library river."""
_BUCKETS = 10
"""Parts of a period that are looked at one by one."""


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
