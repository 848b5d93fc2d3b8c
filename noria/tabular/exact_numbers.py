"""Whole numbers that a float would change: they stay whole beside missing values."""

from typing import Any

import numpy as np
import pandas as pd

LARGEST_EXACT = 10**15 - 1
"""Whole numbers of at most 15 digits are computed with; longer ones are names, as a float does not hold all of them."""


def without_masks(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """A column of Python's values, or of a nullable type, as NumPy has it.

    Numbers beside missing ones become floats. Where a float would change a whole number, they stay as they are.
    """
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    is_masked = values.dtype == object or pd.api.types.is_extension_array_dtype(values.dtype)
    if not is_masked or inferred not in {"integer", "floating", "mixed-integer-float", "decimal"}:
        return values.infer_objects()
    present = values.dropna()
    if inferred != "floating" and max(abs(present.min()), abs(present.max())) > LARGEST_EXACT:
        return values.astype(object).where(values.notna(), None) if len(present) < len(values) else values
    if inferred == "integer" and len(present) == len(values):
        return values.infer_objects()
    return pd.Series(values.to_numpy(dtype="float64", na_value=np.nan), index=values.index, name=values.name)
