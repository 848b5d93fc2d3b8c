"""Rows of a case in CSV and Parquet tables."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noria.predictions.erasure.entity_matcher import EntityMatcher
from noria.predictions.erasure.search_patterns import contains_word
from noria.system.files import atomic_path, write_text
from noria.tabular.spreadsheet_text import plain_text

if TYPE_CHECKING:
    import pyarrow as pa

_STORED = {"prediction_id", "entity"}
"""Columns of a table of stored predictions."""
_PREVIEW = "preview.html"


def clean_csv(file: Path, case: EntityMatcher) -> int:
    """Remove the rows of a case from a CSV file with a header; returns how many there were.

    Raises:
        OSError, ValueError, csv.Error: it cannot be read.
        NoriaError: it cannot be written.
    """
    header, rows = _csv_rows(file)
    kept = [row for row in rows if not _is_own(header, row, case)]
    if len(kept) < len(rows):
        with atomic_path(file) as part, part.open("w", encoding="utf-8", newline="") as opened:
            csv.writer(opened, lineterminator="\n").writerows([header, *kept])
    return len(rows) - len(kept)


def own_csv_rows(file: Path, case: EntityMatcher) -> list[dict[str, Any]]:
    """The rows of a case in a CSV file, by column.

    Raises:
        OSError, ValueError, csv.Error: it cannot be read.
    """
    header, rows = _csv_rows(file)
    return [dict(zip(header, row, strict=False)) for row in rows if _is_own(header, row, case)]


def clean_parquet(file: Path, case: EntityMatcher) -> int:
    """Remove the rows of a case from a Parquet table; returns how many there were.

    The preview beside it, which may contain those rows, is replaced.

    Raises:
        OSError, ValueError: it cannot be read.
        NoriaError: it cannot be written.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    own = own_rows(table, case)
    removed = int(pc.sum(own).as_py() or 0)
    if removed:
        with atomic_path(file) as part:
            pq.write_table(table.filter(pc.invert(own)), part, compression="zstd", compression_level=1)
        if (file.parent / _PREVIEW).is_file():
            write_text(file.parent / _PREVIEW, "<p>A case of this table was erased; the preview is not available.</p>")
    return removed


def own_rows(table: "pa.Table", case: EntityMatcher) -> "pa.ChunkedArray":
    """(n,) which rows of a table belong to a case: by its name, by the id of a prediction, or by a text of its own."""
    import numpy as np
    import pyarrow as pa

    own = named_rows(table, case)
    for name in table.column_names:
        column = table[name]
        if holds_text(column):
            own |= _mentions(column, case.texts)
    return pa.chunked_array([pa.array(np.asarray(own, dtype=bool))])


def holds_text(column: "pa.ChunkedArray") -> bool:
    """Whether the values of a column are texts, also where they are kept as numbers of a dictionary."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def named_rows(table: "pa.Table", case: EntityMatcher) -> Any:
    """(n,) NumPy truth values: which rows bear the name of a case, or the id of one of its predictions."""
    import numpy as np

    names = set(table.column_names)
    wanted: dict[str, Sequence[str]] = {}
    if names >= _STORED:
        wanted = {"entity": case.names, "prediction_id": case.ids}
    elif {case.column, case.target} <= names:
        wanted = {case.column: case.names}
    own = np.zeros(table.num_rows, dtype=bool)
    for name, values in wanted.items():
        own |= _equals(table[name], values)
    return own


def _equals(column: "pa.ChunkedArray", values: Sequence[str]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(column.cast(pa.string()), pa.array(list(values), pa.string())).to_numpy()


def _mentions(column: "pa.ChunkedArray", texts: Sequence[str]) -> Any:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = column.cast(pa.large_string())
    different = plain.unique()
    likely = np.zeros(len(different), dtype=bool)
    for text in texts:
        likely |= pc.fill_null(pc.match_substring(different, text), False).to_numpy(zero_copy_only=False)
    found = [value for value in different.filter(pa.array(likely)).to_pylist() if contains_word(value, texts)]
    return pc.is_in(plain, pa.array(found, pa.large_string())).to_numpy()


def _csv_rows(file: Path) -> tuple[list[str], list[list[str]]]:
    with file.open(encoding="utf-8", newline="") as opened:
        header, *rows = list(csv.reader(opened)) or [[]]
    return header, rows


def _is_own(header: Sequence[str], row: Sequence[str], case: EntityMatcher) -> bool:
    # a file for people has an apostrophe before what a spreadsheet would take for a formula
    wanted = {plain_text(case.column): case.names, case.column: case.names, "prediction_id": case.ids}
    cells = list(zip(header, row, strict=False))
    if any(cell in wanted[name] or cell.removeprefix("'") in wanted[name] for name, cell in cells if name in wanted):
        return True
    return any(contains_word(cell, case.texts) for _, cell in cells)
