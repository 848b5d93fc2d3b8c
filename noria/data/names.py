"""Column names in errors: which are missing, and which were perhaps meant."""

import difflib
from collections.abc import Iterable

import pandas as pd

from noria.errors import NoriaError


def did_you_mean(name: str, known: Iterable[object]) -> str:
    """A hint at the known name that is nearest to `name`; else the first few known names."""
    names = [str(item) for item in known]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    shown = ", ".join(names[:12])
    return f"the columns are: {shown}{', …' if len(names) > 12 else ''}"


def require_columns(frame: pd.DataFrame, needed: Iterable[tuple[str, str]]) -> None:
    """Check that every column that the configuration names exists.

    Args:
        frame: the table.
        needed: pairs of (configuration key, column).

    Raises:
        NoriaError: names every absent column.
    """
    absent = [(key, column) for key, column in needed if column not in frame.columns]
    if absent:
        raise NoriaError(
            "; ".join(f"the table has no column `{column}`" for _, column in absent),
            where=", ".join(key for key, _ in absent),
            fix=" ".join(dict.fromkeys(did_you_mean(column, frame.columns) for _, column in absent)),
        )
