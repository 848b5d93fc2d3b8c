"""From what was typed after `--data` to a source of the use case."""

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from noria.config.data import SourceConfig
from noria.data.table_files import format_of, open_file
from noria.profiling.scaffold.csv_dialect import CsvDialect, detect_dialect
from noria.profiling.scaffold.name_hints import slug
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_SNIFFED_BYTES = 1 << 18
_DATABASES = ("sqlite", "postgresql", "mysql", "mariadb", "mssql", "oracle", "duckdb", "snowflake", "bigquery")
_SECRET_KEYS = ("password", "passwd", "pwd", "token", "secret", "key")


def locate_source(data: str, target: str, query: str | None) -> SourceConfig:
    """Describe the table as a source, with the separator and decimal mark that its text shows.

    Args:
        data: path (from the working directory or the project folder), fsspec URL, or SQLAlchemy URL with `query`.
        target: the column to predict, which tells separators apart.
        query: SQL query, for a database only.

    Raises:
        NoriaError: the file is missing, empty or of no known format, a database comes without query, or the URL
            holds a password, which a file that is shared must not.
    """
    if query is not None or _is_database(data):
        return _database(data, query)
    path = data if "://" in data else _project_path(_existing(data))
    local = path if "://" in path else str(PROJECT / path)
    kind, stated = _format(local, data)
    dialect = CsvDialect()
    if kind == "csv":
        dialect = detect_dialect(_beginning(local, data), target)
    name = slug(Path(path.split("?", maxsplit=1)[0]).name.split(".")[0], "table")
    return SourceConfig(name=name, path=path, format=stated, separator=dialect.separator, decimal=dialect.decimal)


def _is_database(data: str) -> bool:
    scheme = data.split(":", maxsplit=1)[0].split("+", maxsplit=1)[0].lower()
    return "://" in data and scheme in _DATABASES


def _database(url: str, query: str | None) -> SourceConfig:
    if query is None or not query.strip():
        fix = "add --query 'SELECT … FROM …'"
        raise NoriaError(
            "a database needs a query that says which rows", code="profiling.query_missing", where="--query", fix=fix
        )
    if "://" not in url:
        fix = "write --data as an SQLAlchemy URL, such as sqlite:///data/my.db, or leave --query out"
        raise NoriaError(
            "--query reads databases, and --data is no database URL",
            code="profiling.query_without_database",
            where=f"--data {url}",
            fix=fix,
        )
    return SourceConfig(name="rows", url=_shareable(url), query=query)


def _shareable(url: str) -> str:
    """The URL as it may be written down: without secrets, and with a SQLite file seen from the project folder."""
    import sqlalchemy as sa

    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        fix = "write it like `postgresql+psycopg://user:${env:DB_PASSWORD}@host/database` or `sqlite:///data/my.db`"
        raise NoriaError("this is no SQLAlchemy URL", code="data.url_invalid", where="--data", fix=fix) from error
    if any(value and "${env:" not in value for value in _secrets(address)):
        fix = "`export DB_PASSWORD=…` and write ${env:DB_PASSWORD} in its place (within single quotes)"
        raise NoriaError(
            "the URL holds a password, and it would be written to a file",
            code="profiling.password_in_url",
            where="--data",
            fix=fix,
        )
    file = address.database or ""
    if address.get_backend_name() == "sqlite" and Path(file).expanduser().is_file():
        return f"{address.drivername}:///{_project_path(Path(file).expanduser().resolve())}"
    return url


def _secrets(address: "URL") -> list[str]:
    parts: list[Any] = [address.password]
    parts += [value for key, value in address.query.items() if any(word in key.lower() for word in _SECRET_KEYS)]
    return [str(part) for part in parts if part]


def _existing(data: str) -> Path:
    for path in (Path(data).expanduser(), PROJECT / Path(data).expanduser()):
        if path.is_file():
            return path.resolve()
    folder = Path(data).expanduser().parent
    if Path(data).expanduser().is_dir():
        raise NoriaError(
            "this is a folder, not a file",
            code="data.file_is_folder",
            where=f"--data {data}",
            fix="name one CSV or Parquet file",
        )
    files = sorted(item.name for item in folder.iterdir() if item.is_file()) if folder.is_dir() else []
    near = difflib.get_close_matches(Path(data).name, files, n=1)
    fix = f"did you mean `{folder / near[0]}`?" if near else "check the path"
    raise NoriaError("file not found", code="data.file_not_found", where=f"--data {data}", fix=fix)


def _project_path(path: Path) -> str:
    inside = path.is_relative_to(PROJECT)
    return path.relative_to(PROJECT).as_posix() if inside else str(path)


def _format(path: str, data: str) -> tuple[Literal["csv", "parquet"], Literal["csv", "parquet"] | None]:
    """The format, and the same again if it must be stated because the ending does not tell."""
    try:
        return format_of(path), None
    except NoriaError:
        head = _head(path, data, 4)
    if head.startswith(b"PAR1"):
        return "parquet", "parquet"
    if b"\x00" in head or head.startswith(b"PK"):
        fix = "save the table as CSV (UTF-8) or Parquet"
        raise NoriaError(
            "this is neither CSV nor Parquet", code="data.format_mismatch", where=f"--data {data}", fix=fix
        )
    return "csv", "csv"


def _beginning(path: str, data: str) -> str:
    raw = _head(path, data, _SNIFFED_BYTES)
    if not raw.strip():
        raise NoriaError(
            "the file is empty",
            code="data.file_empty",
            where=f"--data {data}",
            fix="bring a CSV file with a header and rows",
        )
    # the cut may fall within a character; the reader complains of other encodings by line
    return raw.decode("utf-8-sig", errors="replace")


def _head(path: str, data: str, size: int) -> bytes:
    with open_file(path, where=f"--data {data}") as handle:
        head: bytes = handle.read(size)
    return head


def schema_line(output: Path | None) -> str:
    """Path of the JSON Schema as seen from the file to be written."""
    schema = PROJECT / "configs" / "use_case.schema.json"
    if output is None:
        return schema.name
    return Path(os.path.relpath(schema, output.resolve().parent)).as_posix()
