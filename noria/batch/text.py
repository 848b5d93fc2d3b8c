"""CSV files in chunks, read so that a value means the same in whatever chunk it stands.

Types are never guessed from the rows at hand: the model's numbers are read as numbers, and every other value stays the
text that it was. (Guessing chunk by chunk would make a column of whole numbers text from the first odd value on.)
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import pandas as pd

from noria.batch.chunk import Chunk
from noria.data.tables import MISSING_MARKS
from noria.errors import NoriaError
from noria.schema import Column
from noria.schema.check import read_numbers
from noria.schema.values import number_of, text_of

_MISSING = frozenset(MISSING_MARKS)
_BOOLEANS = {"true": "True", "false": "False"}
_EXACT = 15  # digits that survive the way through a float


class CsvSource:
    """The rows of a CSV file.

    Args:
        handle: bytes of UTF-8 text, with a header line.
        where: what errors call the file.
        separator: between fields.
        decimal: decimal mark of the model's numbers.
        columns: the model's input columns.
    """

    def __init__(self, handle: Any, where: str, separator: str, decimal: str, columns: Sequence[Column]) -> None:
        import pyarrow as pa

        self.where, self._separator, self._decimal = where, separator, decimal
        self._lines = csv.reader(
            io.TextIOWrapper(handle, encoding="utf-8-sig", newline=""), delimiter=separator, strict=True
        )
        header = next(self._rows(), None)
        if header is None:
            raise NoriaError("the file is empty", where=where, fix="bring a CSV file with a header line and rows")
        self.names = _header(header, where)
        self._columns = {column.name: column for column in columns}
        numbers = {column.name for column in columns if column.kind == "number"}
        self.schema = pa.schema([(name, pa.float64() if name in numbers else pa.string()) for name in self.names])

    def chunks(self, inputs: list[str], rows: int) -> Iterator[Chunk]:
        """All rows in order, at most `rows` at a time."""
        lines, first = self._rows(), 1
        while block := list(islice(lines, rows)):
            yield self._chunk(block, first, inputs)
            first += len(block)

    def _rows(self) -> Iterator[list[str] | str]:
        """The fields of each row, or why it cannot be told into fields; blank lines are no rows."""
        while True:
            try:
                fields: list[str] | str = next(self._lines)
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                fix = "save it as UTF-8, for example `iconv -f WINDOWS-1252 -t UTF-8 old.csv > new.csv`"
                raise NoriaError("the file is not UTF-8 text", where=self.where, fix=fix) from error
            except csv.Error as error:
                fields = self._broken(error)
            except (OSError, EOFError) as error:
                raise NoriaError(f"the file cannot be read: {error}", where=self.where, fix="check the file") from error
            if fields:
                yield fields

    def _broken(self, error: csv.Error) -> str:
        line = self._lines.line_num
        if "field larger" in str(error) or "unexpected end" in str(error):
            raise NoriaError(
                "a quotation mark is never closed, so that the rows cannot be told apart",
                where=f"{self.where}, at line {line} or before",
                fix="close the quotation mark",
            ) from error
        return f"line {line} cannot be told into fields: {error}"

    def _chunk(self, block: list[list[str] | str], first: int, inputs: list[str]) -> Chunk:
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

    def _set_aside(self, block: list[list[str] | str]) -> dict[int, str]:
        """Put missing values in the place of rows that do not fit the header, and say what is wrong with them."""
        faults: dict[int, str] = {}
        for row, fields in enumerate(block):
            if isinstance(fields, str):
                faults[row] = fields
            elif len(fields) != len(self.names):
                shown = self._separator.join(fields)
                faults[row] = f"{len(fields)} fields where the header has {len(self.names)}: {shown}"
        for row in faults:
            block[row] = [""] * len(self.names)
        return faults

    def _numbers(self, texts: "pd.Series[Any]") -> tuple["pd.Series[Any]", Any]:
        """What the model is asked about (text only where a value is no number), and the numbers (n,)."""
        if self._decimal != ".":
            texts = texts.map(lambda value: value.replace(self._decimal, "."), na_action="ignore")
        numbers, faults = read_numbers(texts)
        return (texts if faults else pd.Series(numbers)), numbers


def _header(fields: list[str] | str, where: str) -> list[str]:
    if isinstance(fields, str):
        raise NoriaError(fields, where=where, fix="mend the header line")
    names = [name or f"Unnamed: {place}" for place, name in enumerate(fields)]
    doubled = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if doubled:
        raise NoriaError(f"two columns are named `{doubled[0]}`", where=where, fix="give every column its own name")
    return names


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
