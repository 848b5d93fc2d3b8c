"""Reading the result of one SQL query."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from noria.config import expand_environment
from noria.data.read_only import forbid_writing, is_query, read_only_address
from noria.system.errors import NoriaError, first_line
from noria.system.workspace import in_project
from noria.tabular.compound_values import with_single_values
from noria.tabular.exact_numbers import without_masks
from noria.tabular.names import column_names

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_CONNECT_TIMEOUT_S = 10
_KNOWS_TIMEOUT = ("psycopg", "pymysql", "mysqldb", "mysqlconnector")


def read_query(url: str, query: str, *, where: str = "") -> pd.DataFrame:
    """Run a query and read its rows; a query that does anything but read fails.

    Args:
        url: SQLAlchemy URL; `${env:NAME}` is taken from the environment. A relative SQLite file is looked for in the
            project folder.
        query: one SQL statement that returns rows: SELECT, WITH, VALUES or TABLE.
        where: configuration key to name in errors, which never show the expanded URL.

    Raises:
        NoriaError: the URL is wrong, its driver is absent, the database cannot be reached or refuses the query.
    """
    import sqlalchemy as sa
    from sqlalchemy.exc import SQLAlchemyError

    place = f"{url} ({where})" if where else url
    if not is_query(query):
        fix = "make it one statement that begins with SELECT or WITH"
        raise NoriaError("the query does not only read", code="data.query_failed", where=place, fix=fix)
    address = _address(expand_environment(url, where=where or url), place)
    try:
        engine = sa.create_engine(address, connect_args=_connect_args(address))
    except (SQLAlchemyError, ImportError) as error:
        fix = f"install the driver of `{address.drivername}`, or correct the URL's first part"
        raise NoriaError(
            f"no driver for this database: {error}", code="data.driver_missing", where=place, fix=fix
        ) from error
    try:
        return _rows(engine, query, place)
    except (SQLAlchemyError, OSError) as error:
        fix = "check that the database runs, and the host, port, user and password in the URL"
        raise NoriaError(
            f"the database cannot be reached: {_reason(error)}", code="data.database_unreachable", where=place, fix=fix
        ) from error
    finally:
        engine.dispose()


def _rows(engine: Any, query: str, place: str) -> pd.DataFrame:
    # no_parameters: a `%` in the query is no placeholder
    with engine.execution_options(no_parameters=True).connect() as connection:
        forbid_writing(connection)
        try:
            result = connection.exec_driver_sql(query)
            names, rows = list(result.keys()), result.fetchall()
        except Exception as error:  # drivers raise errors of their own kinds
            fix = "correct `query`; it must be one statement that returns rows"
            raise NoriaError(
                f"the query fails: {_reason(error)}", code="data.query_failed", where=place, fix=fix
            ) from error
    names = column_names(names, place)
    # column by column, as pandas would make floats of whole numbers and decimals beside missing ones
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    columns = [without_masks(pd.Series(column, dtype=object)) for column in values]
    return with_single_values(pd.DataFrame(dict(zip(names, columns, strict=True))))


def _address(url: str, place: str) -> "URL":
    from pathlib import Path

    import sqlalchemy as sa

    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        fix = "write it like `postgresql+psycopg://user:${env:PASSWORD}@host/database` or `sqlite:///data/my.db`"
        raise NoriaError("this is no SQLAlchemy URL", code="data.url_invalid", where=place, fix=fix) from error
    file = address.database
    if address.get_backend_name() != "sqlite" or not file or file == ":memory:" or file.startswith("file:"):
        return read_only_address(address)
    full = in_project(file)
    if not Path(full).is_file():
        raise NoriaError(
            f"database file not found: {full}",
            code="data.file_not_found",
            where=place,
            fix="correct the path in the URL",
        )
    return read_only_address(address.set(database=full))


def _connect_args(address: "URL") -> dict[str, Any]:
    if address.get_backend_name() == "duckdb" and address.database not in {None, "", ":memory:"}:
        return {"read_only": True}
    known = address.drivername.endswith(("postgresql", "mysql")) or any(
        name in address.drivername for name in _KNOWS_TIMEOUT
    )
    return {"connect_timeout": _CONNECT_TIMEOUT_S} if known else {}


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error.__cause__ or error
    cause = getattr(cause, "orig", None) or cause
    return first_line(cause)
