"""CSV files that people open: a text that a spreadsheet would take for a formula gets an apostrophe before it.

Source: OWASP, CSV Injection. A text is one if it begins with `=`, `+`, `-`, `@`, a tab or a carriage return. A number
is none, with or without a sign, and neither is a single sign.
"""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_BEGINNINGS = "=+-@\t\r"
_NUMBER = re.compile(r"[+-][\d.,' \u00a0]*\d[\d.,' \u00a0]*(?:[eE][+-]?\d+)?\s*%?|[+-](?:inf|nan)", re.IGNORECASE)


def plain_text(value: Any) -> Any:
    """The value; a text that looks like a formula with an apostrophe before it."""
    if not isinstance(value, str) or len(value) < 2 or value[0] not in _BEGINNINGS or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def for_people(frame: "pd.DataFrame", *, keep: Collection[str | None] = ()) -> "pd.DataFrame":
    """A table whose texts no spreadsheet takes for formulas, names of columns included; numbers stay as they are.

    Args:
        frame: n rows.
        keep: columns by which files are joined, such as identifiers; they stay as they are, and so do their names.
    """
    import pandas as pd

    changed = {}
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if name in keep or not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
            continue
        likely = _likely(column)
        if likely.any():
            values = column.astype(object).to_numpy(copy=True)
            values[likely] = [plain_text(value) for value in values[likely]]
            changed[place] = pd.Series(values, index=column.index, dtype=object)
    columns = [changed.get(place, frame.iloc[:, place]) for place in range(frame.shape[1])]
    if changed:
        names, frame = frame.columns, pd.concat(columns, axis=1)
        frame.columns = names
    kept = {name for name in keep if name is not None}
    return frame.set_axis([name if name in kept else plain_text(name) for name in frame.columns], axis=1)


def _likely(column: "pd.Series[Any]") -> NDArray[np.bool_]:
    """(n,) which values are texts with one of the beginnings."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        texts = pa.array(column, pa.large_string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeError):  # values of several types, or text that is no Unicode
        return np.array(
            [isinstance(value, str) and value.startswith(tuple(_BEGINNINGS)) for value in column], dtype=bool
        )
    found = pc.fill_null(pc.match_substring_regex(texts, "^[=+@\\t\\r-]"), False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
