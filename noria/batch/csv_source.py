"""CSV files in chunks."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from noria.batch.chunk import Chunk
from noria.batch.csv_parser import CsvParser, Fields
from noria.schema import Column
from noria.system.errors import NoriaError
from noria.tabular.names import column_names


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
        self.where = where
        self._lines = csv.reader(
            io.TextIOWrapper(handle, encoding="utf-8-sig", newline=""), delimiter=separator, strict=True
        )
        header = next(self._rows(), None)
        if header is None:
            raise NoriaError(
                "the file is empty",
                code="data.file_empty",
                where=where,
                fix="bring a CSV file with a header line and rows",
            )
        self.parser = CsvParser(_header(header, where), separator, decimal, columns)
        self.names, self.schema = self.parser.names, self.parser.schema

    def chunks(self, inputs: list[str], rows: int) -> Iterator[Chunk]:
        """All rows in order, at most `rows` at a time."""
        for first, block in self.blocks(rows):
            yield self.parser.chunk(block, first, inputs)

    def blocks(self, rows: int) -> Iterator[tuple[int, list[Fields]]]:
        """The same, split into fields only: the number of the first row, and the rows."""
        lines, first = self._rows(), 1
        while block := list(islice(lines, rows)):
            yield first, block
            first += len(block)

    def _rows(self) -> Iterator[Fields]:
        """The fields of each row, or why it cannot be split into fields; blank lines are no rows."""
        while True:
            try:
                fields: Fields = next(self._lines)
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                fix = "save it as UTF-8, for example `iconv -f WINDOWS-1252 -t UTF-8 old.csv > new.csv`"
                raise NoriaError(
                    "the file is not UTF-8 text", code="data.encoding_invalid", where=self.where, fix=fix
                ) from error
            except csv.Error as error:
                fields = self._broken(error)
            except (OSError, EOFError) as error:
                raise NoriaError(
                    f"the file cannot be read: {error}",
                    code="data.file_unreadable",
                    where=self.where,
                    fix="check the file",
                ) from error
            if fields:
                yield fields

    def _broken(self, error: csv.Error) -> str:
        line = self._lines.line_num
        if "field larger" in str(error) or "unexpected end" in str(error):
            raise NoriaError(
                "a quotation mark is never closed, so the end of a row cannot be found",
                code="data.quote_unclosed",
                where=f"{self.where}, at line {line} or before",
                fix="close the quotation mark",
            ) from error
        return f"line {line} cannot be split into fields: {error}"


def _header(fields: Fields, where: str) -> list[str]:
    if isinstance(fields, str):
        raise NoriaError(fields, code="data.header_invalid", where=where, fix="correct the header line")
    return column_names(fields, where)
