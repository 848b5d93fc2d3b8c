"""Rows of a case in CSV and Parquet tables."""

import csv
from collections.abc import Collection
from pathlib import Path

from noria.system.files import atomic_path, write_text

_KEPT_COLUMNS = {"prediction_id", "entity"}
_PREVIEW = "preview.html"


def clean_csv(file: Path, column: str, names: Collection[str], ids: Collection[str]) -> int:
    """Remove the rows of a case from a CSV file with a header; returns how many there were.

    Raises:
        OSError, ValueError, csv.Error: it cannot be read.
        NoriaError: it cannot be written.
    """
    wanted = {column: set(names), "prediction_id": set(ids)}
    with file.open(encoding="utf-8", newline="") as opened:
        header, *rows = list(csv.reader(opened)) or [[]]
    places = [(place, wanted[name]) for place, name in enumerate(header) if name in wanted]
    kept = [row for row in rows if not any(place < len(row) and row[place] in values for place, values in places)]
    if len(kept) < len(rows):
        with atomic_path(file) as part, part.open("w", encoding="utf-8", newline="") as opened:
            csv.writer(opened, lineterminator="\n").writerows([header, *kept])
    return len(rows) - len(kept)


def clean_window(file: Path, names: Collection[str], ids: Collection[str]) -> int:
    """Remove the rows of a case from a Parquet table of stored predictions; returns 0 for any other table.

    The preview beside it, which may contain those rows, is replaced.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not set(pq.read_schema(file).names) >= _KEPT_COLUMNS:
        return 0
    table = pq.read_table(file)
    named = pc.is_in(table["entity"].cast(pa.string()), pa.array(list(names), pa.string()))
    matches = pc.or_(named, pc.is_in(table["prediction_id"].cast(pa.string()), pa.array(list(ids), pa.string())))
    kept = table.filter(pc.invert(matches))
    removed = int(table.num_rows - kept.num_rows)
    if removed:
        with atomic_path(file) as part:
            pq.write_table(kept, part, compression="zstd", compression_level=1)
        if (file.parent / _PREVIEW).is_file():
            write_text(file.parent / _PREVIEW, "<p>A case of this table was erased; the preview is not available.</p>")
    return removed


def count_rows(file: Path, column: str, names: Collection[str]) -> int:
    """How many rows of a Parquet table have one of these names in a column; 0 if there is no such column."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if column not in pq.read_schema(file).names:
        return 0
    cases = pq.read_table(file, columns=[column])[column]
    return int(pc.sum(pc.is_in(cases.cast(pa.string()), pa.array(list(names), pa.string()))).as_py() or 0)
