"""Files beside the store: what Noria left of kept rows there is cleaned, anything else is told."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from noria.forget.search import occurrences
from noria.forget.tables import clean_csv, clean_window, rows_in
from noria.html import plural
from noria.workspace import Workspace, home


@dataclass(frozen=True)
class Case:
    """By what a case is recognised."""

    column: str
    """The identifier's column in tables."""
    names: Sequence[str]
    ids: Sequence[str]
    """Those of its predictions."""
    wanted: Sequence[bytes]
    """Pieces of text that stand for it in files."""


def clean_beside(case: Case, workspace: Workspace, spool: Path) -> list[tuple[Path, int]]:
    """Take its rows out of quarantined rows, damaged pieces of the spool and tables of earlier checks.

    Returns:
        The files, with how many rows were taken out.

    Raises:
        NoriaError: a file cannot be read or written.
    """
    cleaned = [
        (file, clean_csv(file, case.column, case.names, case.ids)) for file in _found(workspace.quarantine, "csv")
    ]
    cleaned += [(file, clean_window(file, case.names, case.ids)) for file in _found(home() / "artifacts", "parquet")]
    for file in _found(spool, "bad"):
        if occurrences(file, case.wanted):
            file.unlink()
            cleaned.append((file, 1))
    return [(file, rows) for file, rows in cleaned if rows]


def left_elsewhere(case: Case, workspace: Workspace, skip: Collection[Path]) -> list[tuple[Path, str]]:
    """Where something of it still is on this machine, and what: training tables, reports, logs."""
    tables = {file: rows_in(file, case.column, case.names) for file in _found(home() / "artifacts", "parquet")}
    left = [(file, f"{plural(rows, 'row')} of a training table") for file, rows in tables.items() if rows]
    for file in sorted(workspace.folder.rglob("*")):
        if file.is_file() and file not in skip and (found := occurrences(file, case.wanted)):
            left.append((file, f"named {plural(found, 'time')}"))
    return left


def _found(folder: Path, kind: str) -> Iterator[Path]:
    return iter(sorted(folder.rglob(f"*.{kind}"))) if folder.is_dir() else iter(())
