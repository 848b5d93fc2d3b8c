"""What the fields of CSV rows mean, whatever chunk they stand in.

Types are never guessed from the rows at hand: the model's numbers are read as numbers, and every other value stays the
text that it was. (Guessing chunk by chunk would make a column of whole numbers text from the first odd value on.)
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from noria.batch.chunk import Chunk
from noria.data.table_files import MISSING_MARKS
from noria.schema import Column
from noria.schema.row_check import read_numbers
from noria.tabular.values import number_of, text_of

if TYPE_CHECKING:
    import pyarrow as pa

Fields = list[str] | str
"""The fields of a row, or why it cannot be split into fields."""

_MISSING = frozenset(MISSING_MARKS)
_BOOLEANS = {"true": "True", "false": "False"}
_EXACT = 15  # digits that survive the way through a float


class CsvParser:
    """Makes chunks of rows of fields.

    Args:
        names: the header.
        separator: between fields.
        decimal: decimal mark of the model's numbers.
        columns: the model's input columns.
    """

    def __init__(self, names: list[str], separator: str, decimal: str, columns: Sequence[Column]) -> None:
        self.names, self.separator, self.decimal = names, separator, decimal
        self._columns = {column.name: column for column in columns}

    @cached_property
    def schema(self) -> "pa.Schema":
        """The columns of the file as they go into the output."""
        import pyarrow as pa

        numbers = {column.name for column in self._columns.values() if column.kind == "number"}
        return pa.schema([(name, pa.float64() if name in numbers else pa.string()) for name in self.names])

    def chunk(self, block: list[Fields], first: int, inputs: list[str]) -> Chunk:
        """The chunk of some rows, of which the first has number `first`."""
        import pyarrow as pa

        faults = self._set_aside(block)
        values = {
            name: [None if value in _MISSING else value for value in column]
            for name, column in zip(self.names, zip(*block, strict=True), strict=True)
        }
        raw = pd.DataFrame(values, dtype=object)
        asked, kept = {}, {}
        for name in self.names:
            column = self._columns.get(name)
            if column is not None and column.kind == "number":
                asked[name], numbers = self._numbers(raw[name])
                kept[name] = pa.array(numbers, from_pandas=True)
                continue
            if column is not None:
                read = _reader(column)
                asked[name] = raw[name] if read is None else raw[name].map(read, na_action="ignore")
            kept[name] = pa.array(values[name], pa.string())
        tables = pd.DataFrame(asked)[inputs], raw
        return Chunk(first, pa.table(kept, schema=self.schema), lambda _: tables, faults=faults)

    def _set_aside(self, block: list[Fields]) -> dict[int, str]:
        """Put missing values in place of rows that do not fit the header, and say what is wrong with them."""
        faults: dict[int, str] = {}
        for row, fields in enumerate(block):
            if isinstance(fields, str):
                faults[row] = fields
            elif len(fields) != len(self.names):
                shown = self.separator.join(fields)
                faults[row] = f"{len(fields)} fields where the header has {len(self.names)}: {shown}"
        for row in faults:
            block[row] = [""] * len(self.names)
        return faults

    def _numbers(self, texts: "pd.Series[Any]") -> tuple["pd.Series[Any]", Any]:
        """What the model is asked about (text only where a value is no number), and the numbers (n,)."""
        if self.decimal != ".":
            texts = texts.map(lambda value: value.replace(self.decimal, "."), na_action="ignore")
        numbers, faults = read_numbers(texts)
        return (texts if faults else pd.Series(numbers)), numbers


def _reader(column: Column) -> Callable[[str], str] | None:
    """Reads a category as the training table had it: there a column of numbers was read as numbers, `007` as 7. None:
    the text stands for itself."""
    if column.kind == "category" and column.categories:
        if all(map(_is_number, column.categories)):
            return _as_number
        if set(column.categories) <= set(_BOOLEANS.values()):
            return lambda text: _BOOLEANS.get(text.lower(), text)
    return None


def _is_number(text: str) -> bool:
    return len(text) <= _EXACT and _as_number(text) == text and text[-1:].isdigit()


def _as_number(text: str) -> str:
    try:
        return text_of(number_of(text)) if len(text) <= _EXACT else text
    except ValueError:
        return text
