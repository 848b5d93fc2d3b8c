"""Column names in errors: which are missing, and which were perhaps meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from noria.system.errors import NoriaError

if TYPE_CHECKING:
    import pandas as pd

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


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

    A table of a single column, with marks in its name that separate fields elsewhere, was read with a wrong separator.

    Args:
        frame: the table.
        needed: pairs of (configuration key, column).

    Raises:
        NoriaError: names every absent column.
    """
    absent = [(key, column) for key, column in needed if column not in frame.columns]
    if absent:
        hints = [hint] if (hint := other_separator(frame.columns)) else _hints(absent, frame)
        raise NoriaError(
            "; ".join(f"the table has no column `{column}`" for _, column in absent),
            code="data.column_missing",
            where=", ".join(dict.fromkeys(key for key, _ in absent)),
            fix=" ".join(hints),
        )


def other_separator(names: Iterable[object]) -> str:
    """A hint, if the only name looks like a whole header line that another separator would divide; else empty."""
    texts = [str(name) for name in names]
    if len(texts) != 1:
        return ""
    mark = max(_SEPARATORS, key=texts[0].count)
    if not texts[0].count(mark):
        return ""
    return f'the file seems to be separated by {_SEPARATORS[mark]}: say `separator: "{_written(mark)}"` for its source'


def _hints(absent: list[tuple[str, str]], frame: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(did_you_mean(column, frame.columns) for _, column in absent))


def _written(mark: str) -> str:
    return "\\t" if mark == "\t" else mark
