"""Reading raw values, whatever their type: the same value means the same in a table, a CSV file or a request."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

LARGEST = float(np.finfo(np.float32).max)
"""Models compute in single precision: a number beyond this is as good as infinite."""
BOOLEANS = {
    "true": True,
    "false": False,
    "yes": True,
    "no": False,
    "1": True,
    "0": False,
    "1.0": True,
    "0.0": False,
}

_FEW = 64
_WHOLE = 1e15
_SHOWN = 60
T = TypeVar("T")


def raw_columns(frame: pd.DataFrame) -> dict[str, pd.Series[Any] | list[Any]]:
    """The columns of a table as they are; those of a few rows as lists, which are quicker to read."""
    if len(frame) > _FEW:
        return {name: frame[name] for name in frame.columns}
    return dict(zip(frame.columns, frame.to_numpy(dtype=object).T.tolist(), strict=True))


def distinct(column: pd.Series[Any] | list[Any]) -> tuple[NDArray[np.intp], list[Any]]:
    """Codes (n,) and values, so that `values[codes[i]]` is row i; few rows are not worth hashing."""
    if isinstance(column, list):
        return np.arange(len(column)), column
    import pandas as pd

    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True).startswith("mixed"):
        return np.arange(len(column)), column.tolist()  # True and 1 would be one
    try:
        codes, values = pd.factorize(column, use_na_sentinel=False)
    except TypeError:
        # lists and dicts cannot be hashed; the reader refuses them one by one
        return np.arange(len(column)), column.tolist()
    return codes, list(values)


def read_each(read: Callable[[Any], T], values: Sequence[Any]) -> tuple[list[T | None], dict[int, str]]:
    """Every value read, None where it is missing or unreadable; and position → what is wrong with it."""
    found: list[T | None] = []
    faults: dict[int, str] = {}
    for position, value in enumerate(values):
        try:
            found.append(None if is_missing(value) else read(value))
        except ValueError as error:
            found.append(None)
            faults[position] = str(error)
    return found, faults


def is_missing(value: Any) -> bool:
    """None, NaN, NaT, NA and blank text."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, float | np.floating | Decimal):
        return math.isnan(value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return type(value).__name__ in {"NaTType", "NAType"}  # pandas' own, without importing it


def text_of(value: Any) -> str:
    """A category as text: `1`, `1.0`, `Decimal("1.00")` and `"1"` are the same, and so are `True` and `"True"`.

    Raises:
        ValueError: a list, a mapping or another compound value.
    """
    if isinstance(value, np.float16 | np.float32):
        value = float(str(value))  # 0.1, not 0.10000000149
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() if value.is_finite() else False
        return str(int(value)) if whole else str(float(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise ValueError(f"{shown(value)} is not a single value")


def number_of(value: Any) -> float:
    """A number; infinity is left to the caller.

    Raises:
        ValueError: no number can be read.
    """
    if isinstance(value, np.generic):
        value = value.item()
    try:
        if isinstance(value, bool | int | float | Decimal):
            return float(value)
        if isinstance(value, str) and "_" not in value and value.strip().lower() not in {"nan", "+nan", "-nan"}:
            return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except ValueError:
        pass
    raise ValueError(f"{shown(value)} is not a number")


def shown(value: Any) -> str:
    """A value for a message, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
