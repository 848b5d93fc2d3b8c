"""Columns added to a table or replaced in it, under any name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def with_columns(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """The table with these columns in place of its own of the same names, and the others at its end; same index.

    `DataFrame.assign` takes names as keyword arguments and fails for a column named `self`; and a table to which
    columns are added one by one is made of as many pieces.

    Args:
        frame: n rows.
        columns: name → n values; a series must have the table's index.
    """
    import pandas as pd

    known = set(frame.columns)
    replaced = frame.copy(deep=False)
    for name, values in columns.items():
        if name in known:
            replaced[name] = values
    added = {name: values for name, values in columns.items() if name not in known}
    return pd.concat([replaced, pd.DataFrame(added, index=frame.index)], axis=1) if added else replaced
