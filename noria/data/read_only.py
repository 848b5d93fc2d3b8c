"""Queries of a source can only read: no table is changed, and no file is made beside the database."""

import re
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_TRANSACTIONS = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_READING_PRAGMAS = {
    "data_version",
    "database_list",
    "index_info",
    "index_list",
    "table_info",
    "table_list",
    "table_xinfo",
}
_LOADING_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
_ASIDE = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | (\$\w*\$).*?\1 | --[^\n]* | /\*.*?\*/""", re.DOTALL | re.VERBOSE
)
"""Literals, quoted names and comments."""
_QUERY = re.compile(r"[\s(]*(?:SELECT|WITH|VALUES|TABLE|FROM)\b[^;]*[;\s]*", re.IGNORECASE)


def is_query(text: str) -> bool:
    """Whether a text is one statement, and begins as one that returns rows does.

    A read-only transaction is not enough: `ATTACH`, `COPY … TO`, `VACUUM INTO`, `PRAGMA`, `COMMIT` and `SET` change
    no table of it, but make files or end it.
    """
    return _QUERY.fullmatch(_ASIDE.sub(lambda found: " " if found[0][0] in "-/" else "''", text)) is not None


def read_only_address(address: "URL") -> "URL":
    """The address by which SQLite opens a file to read it only; other addresses stay as they are."""
    file = address.database
    if address.get_backend_name() != "sqlite" or not file or file == ":memory:":
        return address
    if file.startswith("file:"):
        is_memory = address.query.get("mode") == "memory" or ":memory:" in file
        return address if is_memory else address.update_query_dict({"mode": "ro", "uri": "true"})
    return address.set(database=f"file:{quote(file)}").update_query_dict({"mode": "ro", "uri": "true"})


def forbid_writing(connection: Any) -> None:
    """Let everything fail on a connection that is not reading.

    Args:
        connection: an open connection of SQLAlchemy, on which the query is the next statement.
    """
    dialect = connection.dialect.name
    statement = _TRANSACTIONS.get(dialect)
    if statement is not None:
        connection.exec_driver_sql(statement)
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.set_authorizer(_authorizer())
    elif dialect == "postgresql" and hasattr(driver, "prepare_threshold"):
        driver.prepare_threshold = 0  # what is prepared is one statement: none can follow a `COMMIT`


def _authorizer() -> Callable[[int, str | None, str | None, str | None, str | None], int]:
    def authorize(action: int, first: str | None, second: str | None, _: str | None, __: str | None) -> int:
        if action in _READS:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and str(second).lower() not in _LOADING_FUNCTIONS:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA and first in _READING_PRAGMAS:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":  # declares table-valued functions in memory
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    return authorize
