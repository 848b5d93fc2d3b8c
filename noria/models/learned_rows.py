"""Which rows a model has learned from, in a form that tells later whether a row was among them."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.config.section import Section
from noria.tabular.hashing import GOLDEN, mixed
from noria.tabular.values import is_missing, text_of

if TYPE_CHECKING:
    import pandas as pd

    from noria.config import UseCase

Keys = NDArray[np.uint32]
_ROWS_AT_ONCE = 50_000
_INPUTS, _ID, _GROUP = 1, 2, 3


class LearnedRows(Section):
    """The rows that a model has learned from."""

    rows: int
    """How many."""
    time: str | None = None
    """The column that tells when a case happened, if there is one."""
    until: datetime | float | None = None
    """Its latest value among these rows; a moment is in UTC."""


def learned_rows(train: pd.DataFrame, use_case: UseCase) -> LearnedRows:
    """Count n training rows and find the latest of them."""
    import pandas as pd

    column, latest = use_case.data.time, None
    if column is not None and column in train:
        times = _comparable(train[column]).dropna()
        latest = None if times.empty else times.max()
    if isinstance(latest, pd.Timestamp):
        # what is kept has microseconds: rounded up, so that no row that was learned is later
        return LearnedRows(rows=len(train), time=column, until=latest.ceil("us").to_pydatetime())
    return LearnedRows(rows=len(train), time=column, until=None if latest is None else float(latest))


def later_rows(frame: pd.DataFrame, learned: LearnedRows, time: str | None) -> NDArray[np.bool_] | None:
    """(n,) which of n rows are later than all that a model has learned from; None where that is not known.

    Args:
        frame: n rows.
        learned: what the model has learned from.
        time: the column that tells the time of these rows.
    """
    import pandas as pd

    if learned.until is None or time is None or learned.time != time:
        return None
    times = _comparable(frame[time])
    if isinstance(learned.until, datetime) != pd.api.types.is_datetime64_any_dtype(times):
        return None
    until = np.datetime64(learned.until) if isinstance(learned.until, datetime) else learned.until
    return np.asarray(times.to_numpy() > until, dtype=bool)


def row_keys(frame: pd.DataFrame, matrix: NDArray[np.float64], use_case: UseCase) -> NDArray[np.uint32]:
    """(k, n) keys of n rows: one of the inputs, one of the identifier and one of the group, as far as there are any.

    A row counts as learned if one of its keys is known: the same inputs teach the same under another identifier, and
    the same case is no stranger because a figure of it was corrected. Keys have 32 bits, so of a million learned rows
    one new row in 4,000 looks known; it is then not judged on, which does no harm. The target is in no key: leaving
    rows out by their outcome would bend what is measured.

    Args:
        frame: n rows.
        matrix: (n, p) what the model's schema makes of them, see `InputSchema.own_matrix`.
        use_case: names identifier and group.
    """
    import pandas as pd

    lines = [_hash_matrix(matrix)]
    for place, column in ((_ID, use_case.data.id), (_GROUP, use_case.split.group)):
        if column is not None and column in frame:
            text = np.array(["" if is_missing(value) else text_of(value) for value in frame[column]], dtype=object)
            lines.append(mixed(pd.util.hash_array(text) ^ np.uint64(place * GOLDEN % 2**64)))
    return (np.array(lines) >> np.uint64(32)).astype(np.uint32)


def pack_keys(keys: Keys) -> bytes:
    """Any keys as bytes, each once: two to three bytes for a key."""
    known = np.unique(keys)
    return zlib.compress(np.diff(known, prepend=known.dtype.type(0)).astype("<u4").tobytes(), level=1)


def unpack_keys(content: bytes) -> Keys:
    """The keys in `content`, in rising order."""
    return np.cumsum(np.frombuffer(zlib.decompress(content), dtype="<u4"), dtype=np.uint32)


def _comparable(times: Any) -> Any:
    """Moments in UTC without a zone, or numbers; missing where the column holds neither."""
    import pandas as pd

    from noria.tabular.types import without_zone

    if pd.api.types.is_datetime64_any_dtype(times) or pd.api.types.is_numeric_dtype(times):
        return without_zone(times)
    return pd.Series(np.nan, index=times.index)


def _hash_matrix(matrix: NDArray[np.float64]) -> NDArray[np.uint64]:
    """(n,) one number for each of n rows, from the bits of its values; every NaN is the same, and so is every 0."""
    found = np.full(len(matrix), _INPUTS, dtype=np.uint64)
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        block, total = matrix[start : start + _ROWS_AT_ONCE], found[start : start + _ROWS_AT_ONCE]
        for place in range(block.shape[1]):
            values = np.where(np.isnan(block[:, place]), np.nan, block[:, place] + 0.0)
            total[:] = mixed(total ^ mixed(values.view(np.uint64) ^ np.uint64((place + 1) * GOLDEN % 2**64)))
    return found
