"""Shapes of text, looked for in many values at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PLAIN_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|Inf|INF|infinity|Infinity)"
"""A number with a decimal point."""
WHOLE_NUMBER = r"[+-]?(0|[1-9]\d*)"
"""A whole number without leading zeros."""
_FIRST = 100
LONGEST_EXACT = 15
"""Any whole number of so many digits is exact in double precision."""


def matching(texts: pd.Index, pattern: str) -> NDArray[np.bool_]:
    """(n,) which texts match from end to end."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.match_substring_regex(pa.array(texts, type=pa.large_string()), f"^(?:{pattern})$")
    return np.asarray(found, dtype=bool)


def all_match(texts: pd.Index, pattern: str) -> bool:
    """Whether there are texts, and each matches from end to end."""
    # most shapes do not fit a column, and its first texts show that
    return len(texts) > 0 and all(matching(part, pattern).all() for part in (texts[:_FIRST], texts[_FIRST:]))
