"""Reading one CSV or Parquet file, from a local path or any fsspec URL."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pandas as pd

from noria.config import expand_environment
from noria.system.errors import NoriaError
from noria.tabular.compound_values import as_texts, is_compound
from noria.tabular.exact_numbers import without_masks
from noria.tabular.names import column_names
from noria.tabular.with_columns import with_columns

Format = Literal["csv", "parquet"]
_ENDINGS: dict[str, Format] = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}
_OTHER_KINDS = [
    (b"PAR1", "this is a Parquet file", "let its name end in .parquet, or say `format: parquet` for this source"),
    (b"PK", "this is an archive or a spreadsheet, not a CSV file", "save the table as CSV (UTF-8) or Parquet"),
    (b"\xff\xfe", "the file is UTF-16 text, not UTF-8", "save it as UTF-8, for example `iconv -f UTF-16 -t UTF-8`"),
    (b"\xfe\xff", "the file is UTF-16 text, not UTF-8", "save it as UTF-8, for example `iconv -f UTF-16 -t UTF-8`"),
]
_NAMELESS_INDEX = re.compile(r"__index_level_\d+__")
_LONGEST_LINE = 16 << 20
_COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")


def read_file(
    path: str,
    *,
    format: Format | None = None,
    separator: str = ",",
    where: str = "",
) -> pd.DataFrame:
    """Read a table as the file has it: the values of a CSV file are text, also the blank ones.

    Args:
        path: local path or fsspec URL; `${env:NAME}` is taken from the environment.
        format: by default the file's ending tells.
        separator: of a CSV file.
        where: what errors call the file; by default its path.

    Returns:
        The rows in the file's order, with an index from 0; a file with nothing but a header gives no rows.

    Raises:
        NoriaError: the file is missing, unreadable, not of its format, empty, not UTF-8, or has ragged rows.
    """
    place = where or path
    kind = format or format_of(path, where=place)
    with open_file(path, where=place) as handle:
        if kind == "parquet":
            return _named(_read_parquet(handle, place), place)
        return _named(_read_csv(handle.read(), separator, place), place)


def read_names(
    path: str,
    *,
    format: Format | None = None,
    separator: str = ",",
    where: str = "",
) -> list[str]:
    """The names of a table's columns, from its first line (CSV) or its schema (Parquet); no row is read.

    Args:
        path: as for `read_file`.
        format: as for `read_file`.
        separator: as for `read_file`.
        where: as for `read_file`.

    Raises:
        NoriaError: the file is missing, not of its format, empty, or not UTF-8.
    """
    place = where or path
    kind = format or format_of(path, where=place)
    with open_file(path, where=place) as handle:
        if kind == "parquet":
            header = pd.DataFrame(columns=_parquet_names(handle, place))
        else:
            header = _read_csv(_first_line(handle), separator, place)
        return [str(name) for name in _named(header, place).columns]


def format_of(path: str, *, where: str = "") -> Format:
    """The format that the ending of `path` tells.

    Raises:
        NoriaError: the ending tells nothing.
    """
    name = path.split("?", maxsplit=1)[0].lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    for ending, kind in _ENDINGS.items():
        if name.endswith(ending):
            return kind
    fix = "say `format: csv` or `format: parquet` for this source"
    raise NoriaError(
        "the file's ending does not tell its format", code="data.format_unknown", where=where or path, fix=fix
    )


@contextmanager
def open_file(path: str, *, where: str) -> Iterator[Any]:
    """Open a local path or fsspec URL for reading bytes, decompressed if its ending says so.

    Raises:
        NoriaError: the file is not there or cannot be opened.
    """
    import fsspec

    full = expand_environment(path, where=where)
    try:
        with fsspec.open(full, "rb", compression="infer") as handle:
            yield handle
    except NoriaError:
        raise
    except FileNotFoundError as error:
        if "://" in path:  # fsspec says the same of a host that cannot be reached
            fix = "check the URL and the network"
            raise NoriaError(
                "file not found, or its host cannot be reached", code="data.file_not_found", where=where, fix=fix
            ) from error
        fix = "check the path; relative paths start at the project folder"
        raise NoriaError("file not found", code="data.file_not_found", where=where, fix=fix) from error
    except IsADirectoryError as error:
        raise NoriaError(
            "this is a folder, not a file", code="data.file_is_folder", where=where, fix="name one CSV or Parquet file"
        ) from error
    except PermissionError as error:
        fix = "give yourself read access, or check the credentials in the environment"
        raise NoriaError("the file may not be read", code="data.file_forbidden", where=where, fix=fix) from error
    except ImportError as error:
        raise NoriaError(
            f"this kind of URL needs a package: {error}", code="data.driver_missing", where=where, fix=str(error)
        ) from error
    except (OSError, ValueError, EOFError) as error:
        fix = "check the path and that its host can be reached"
        # a URL may carry a secret from the environment
        reason = str(error).replace(full, path)
        raise NoriaError(
            f"the file cannot be opened: {reason}", code="data.file_unreadable", where=where, fix=fix
        ) from error


def _read_parquet(handle: Any, place: str) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(handle)
        frame: pd.DataFrame = table.to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        raise _invalid_parquet(error, place) from error
    frame = with_columns(frame, {name: values for name, values in _exact(table).items() if name in frame.columns})
    compound = [field.name for field in table.schema if is_compound(field.type)]
    frame = with_columns(frame, {name: as_texts(frame[name]) for name in compound if name in frame.columns})
    # an index written by pandas comes back as columns, so that nothing is lost
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(drop=not named)


def _exact(table: Any) -> dict[str, Any]:
    """The columns of whole numbers that have gaps, in which pandas would make floats of large numbers."""
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    return {
        field.name: without_masks(table[field.name].to_pandas(types_mapper=nullable.get)).to_numpy()
        for field in table.schema
        if field.type in nullable and table[field.name].null_count
    }


def _invalid_parquet(error: Exception, place: str) -> NoriaError:
    reason = str(error).removeprefix("Could not open Parquet input source '<Buffer>': ")
    fix = "write it again as Parquet, or say `format: csv` if it is text"
    return NoriaError(f"not a readable Parquet file: {reason}", code="data.parquet_invalid", where=place, fix=fix)


def _parquet_names(handle: Any, place: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(handle)
    except (pa.ArrowInvalid, OSError) as error:
        raise _invalid_parquet(error, place) from error
    # pandas writes an index that only counts as metadata, and one without a name as a column
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    counted = [each["name"] for each in index if isinstance(each, dict) and each.get("name")]
    return [*counted, *(name for name in schema.names if not _NAMELESS_INDEX.fullmatch(name))]


def _first_line(handle: Any) -> bytes:
    """The header of a CSV file, which may hold line breaks in quotes; an empty line in front is no header."""
    found = b""
    while line := handle.readline(_LONGEST_LINE):
        found += line
        if found.strip() and found.count(b'"') % 2 == 0:
            break
    return found


def _read_csv(raw: bytes, separator: str, place: str) -> pd.DataFrame:
    import pyarrow as pa

    if not raw.strip():
        raise NoriaError(
            "the file is empty", code="data.file_empty", where=place, fix="bring a CSV file with a header line and rows"
        )
    try:
        table = _parse(raw, separator)
    except UnicodeDecodeError as error:
        raise _not_utf8(raw, place) from error
    except pa.ArrowInvalid as error:
        if b"\x00" in raw[:1000] or "UTF8" in str(error):
            raise _not_utf8(raw, place) from error
        raise _ragged(raw, separator, str(error), place) from error
    _check_quotes(raw, table, place)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _parse(raw: bytes, separator: str, on_bad_row: Any = None) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    # rows are numbered only when one thread reads
    reading = csv.ReadOptions(use_threads=on_bad_row is None)
    parsing = csv.ParseOptions(delimiter=separator, newlines_in_values=b'"' in raw, invalid_row_handler=on_bad_row)
    anything = csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=lambda _: "skip")
    with csv.open_csv(io.BytesIO(raw), parse_options=anything) as first:
        names = first.schema.names
    # no guessing: the rule of its column says what a value means
    as_text = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return csv.read_csv(io.BytesIO(raw), reading, parsing, as_text)


def _ragged(raw: bytes, separator: str, message: str, place: str) -> NoriaError:
    """Say how many rows have too few or too many fields, and show the first."""
    bad: list[Any] = []

    def keep(row: Any) -> str:
        bad.append((row.number, row.expected_columns, row.actual_columns, row.text))
        return "skip"

    try:
        _parse(raw, separator, on_bad_row=keep)
    except ValueError:
        bad.clear()
    if not bad:
        fix = "check the separator and the quotation marks (data.sources.separator)"
        return NoriaError(f"not a readable CSV file: {message}", code="data.csv_invalid", where=place, fix=fix)
    number, expected, actual, text = bad[0]
    return NoriaError(
        f"{len(bad)} row(s) do not have {expected} fields; the first is row {number} with {actual}: {text[:80]!r}",
        code="data.csv_invalid",
        where=place,
        fix=f"correct those rows (quote values that hold `{separator}`), or set the right separator",
    )


def _not_utf8(raw: bytes, place: str) -> NoriaError:
    for start, what, fix in _OTHER_KINDS:
        if raw.startswith(start):
            return NoriaError(what, code="data.format_mismatch", where=place, fix=fix)
    line = ""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        newlines = raw[: error.start].count(b"\n")
        line = f" (line {newlines + 1})"
    fix = "save it as UTF-8, for example `iconv -f WINDOWS-1252 -t UTF-8 old.csv > new.csv`"
    return NoriaError(f"the file is not UTF-8 text{line}", code="data.encoding_invalid", where=place, fix=fix)


def _check_quotes(raw: bytes, table: Any, place: str) -> None:
    """A quotation mark that is never closed swallows all rows after it, and pyarrow does not tell."""
    if table.num_rows == 0 or raw.count(b'"') % 2 == 0:
        return
    last = table.slice(table.num_rows - 1).to_pylist()[0].values()
    for value in last:
        if isinstance(value, str) and "\n" in value:
            fix = "close the quotation mark in that row"
            raise NoriaError(
                f"a quotation mark is never closed; it opens before {value[:60]!r}",
                code="data.quote_unclosed",
                where=place,
                fix=fix,
            )


def _named(frame: pd.DataFrame, place: str) -> pd.DataFrame:
    frame.columns = column_names(frame.columns, place)
    return frame
