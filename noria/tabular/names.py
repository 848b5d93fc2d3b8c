"""Column names: which a table may have, which are missing, and which were perhaps meant."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from noria.system.errors import NoriaError

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 10_000
"""Every column is read, profiled and drawn by itself: a wider table would take hours."""
LONGEST_NAME = 256
"""In characters."""
_SHOWN = 60
_NO_FIELD = re.compile(r'["\\\x00-\x1f]')
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's categories of control characters, surrogates, and separators of lines and paragraphs."""


def column_names(given: Iterable[object], where: str) -> list[str]:
    """The names of a table's columns: unique texts without blanks around them; a nameless one is named as in pandas.

    A name that passes here can be trained with, served, monitored and reported.

    >>> column_names([' a "b" ', None], "table.csv")
    ['a "b"', 'Unnamed: 1']

    Raises:
        NoriaError: a name is too long, or holds a line break or another control character; two columns share one; or
            there are too many columns.
    """
    names = ["" if name is None else str(name).strip() for name in given]
    names = [name or f"Unnamed: {place}" for place, name in enumerate(names)]
    if len(names) > MOST_COLUMNS:
        raise NoriaError(
            f"the table has {len(names):,} columns; at most {MOST_COLUMNS:,} are read",
            code="data.columns_too_many",
            where=where,
            fix="keep the columns that are known when a prediction is needed; turn columns that only repeat a "
            "measurement into rows or sums",
        )
    # a single name may be the whole header line of another separator; who looks for a column in it says so
    for place, name in enumerate(names) if not other_separator(names) else ():
        if problem := _name_problem(name):
            raise NoriaError(
                f"the name of column {place + 1} {problem}: {escaped(name)}",
                code="data.column_name_invalid",
                where=where,
                fix="rename that column: correct the header line of a CSV file, or name it with `AS` in a query",
            )
    doubled = next((name for name, times in Counter(names).items() if times > 1), None)
    if doubled is not None:
        raise NoriaError(
            f"two columns are named `{doubled}`",
            code="data.column_duplicated",
            where=where,
            fix="give every column a name of its own",
        )
    return names


def escaped(name: str) -> str:
    """A name for a message, cut to 60 characters, with `\\n` and the like instead of what cannot be printed.

    >>> escaped("a" + chr(10) + "b")
    '"a\\\\nb"'
    """
    short = name if len(name) <= _SHOWN else name[: _SHOWN - 1] + "…"
    return "".join(one if _is_printable(one) else ascii(one)[1:-1] for one in json.dumps(short, ensure_ascii=False))


def one_note(text: str) -> str:
    """A name or a text in a note on a row: what separates two notes stands in none.

    >>> one_note("a; b")
    'a\\\\x3b b'
    """
    return text.replace("; ", "\\x3b ")


def set_apart(name: str, taken: Iterable[str], mark: str) -> str:
    """`name`, followed by `mark` as often as it takes to differ from all that are taken.

    >>> set_apart("prediction", ["prediction", "age"], " (in the table)")
    'prediction (in the table)'
    """
    others = set(taken)
    while name in others:
        name += mark
    return name


def can_be_fields(names: Iterable[str]) -> bool:
    """Whether msgspec takes these names for the fields of a struct: no quotation mark, backslash or control character.

    >>> can_be_fields(["a b", "é"]), can_be_fields(['a"b'])
    (True, False)
    """
    return not any(_NO_FIELD.search(name) for name in names)


def _name_problem(name: str) -> str:
    if len(name) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if name.isprintable() or all(map(_is_printable, name)):
        return ""
    return "holds a line break or another control character"


def _is_printable(character: str) -> bool:
    return unicodedata.category(character) not in _UNPRINTABLE


def did_you_mean(name: str, known: Iterable[object]) -> str:
    """A hint at the known name that is nearest to `name`; else all known names."""
    names = [str(item) for item in known]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"the columns are: {', '.join(names)}"


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
