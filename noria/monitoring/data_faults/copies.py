"""A stale copy: rows that came before come again as if they were new."""

import numpy as np
from numpy.typing import NDArray

from noria.monitoring.data_faults.fault import DataFault
from noria.monitoring.data_faults.rows import Rows
from noria.reporting import count, percent

_STALE = 0.8
_USUAL = 0.3


def stale_copy(recent: Rows, start: int, fewest: int) -> list[DataFault]:
    """Whether the rows from `start` on are copies of earlier ones, where rows did not usually come twice.

    Args:
        recent: all rows of the window.
        start: where the batch begins.
        fewest: the batch and what is before it have at least so many rows.
    """
    if start < fewest or len(recent) - start < fewest:
        return []
    again = repeated(recent.keys)
    old = np.isin(recent.keys[start:], recent.keys[:start])
    usual, now = float(again[:start].mean()), float(old.mean())
    if now < _STALE or usual > _USUAL:
        return []
    first = start + int(np.argmax(old))
    return [
        DataFault(
            kind="stale_copy",
            since=recent.time_of(first),
            sentence=f"The rows look like a stale copy{{since}}: {percent(now, 0)} of {count(len(old))} rows came "
            f"before with the same values, where {percent(usual, 0)} did.",
            figures={"share repeated": now, "share usually repeated": usual, "rows": len(old)},
        )
    ]


def repeated(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(n,) whether the same row came earlier."""
    _, firsts = np.unique(keys, return_index=True)
    again = np.ones(len(keys), dtype=bool)
    again[firsts] = False
    return again
