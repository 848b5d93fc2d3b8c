"""What the fields of CSV rows mean, whatever chunk they stand in.

Types are never guessed from the rows at hand: the model's columns are read by the rules that it has learned, and every
other value stays the text that it was.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from noria.batch.chunk import Chunk
from noria.schema import Column

if TYPE_CHECKING:
    import pyarrow as pa

Fields = list[str] | str
"""The fields of a row, or why it cannot be split into fields."""


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
        self._readers = {column.name: column.reader_of(decimal) for column in columns}

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
        values = dict(zip(self.names, map(list, zip(*block, strict=True)), strict=True))
        raw = pd.DataFrame(values, dtype=object)
        asked, kept = {}, {}
        for name in self.names:
            column = self._columns.get(name)
            if column is not None and column.kind == "number":
                numbers, unreadable = self._readers[name].read_numbers(raw[name])
                asked[name] = pd.Series(numbers)
                if unreadable:  # as text, so that the check can name them
                    rows = list(unreadable)
                    asked[name] = asked[name].astype(object)
                    asked[name].iloc[rows] = raw[name].iloc[rows]
                kept[name] = pa.array(numbers, from_pandas=True)
                continue
            if column is not None:
                asked[name] = raw[name]
            kept[name] = pa.array([value or None for value in values[name]], pa.string())
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
