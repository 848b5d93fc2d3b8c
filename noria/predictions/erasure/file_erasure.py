"""Erasure from files beside the store: tables that Noria wrote are cleaned, other occurrences are reported."""

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from noria.predictions.erasure.search_patterns import count_occurrences
from noria.predictions.erasure.table_erasure import clean_csv, clean_window, count_rows
from noria.predictions.spool.dead_letter import dead_letters
from noria.reporting import plural
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace, home


@dataclass(frozen=True)
class EntityMatcher:
    """The properties by which rows and files of a case are recognized."""

    column: str
    """The identifier's column in tables."""
    names: Sequence[str]
    ids: Sequence[str]
    """The ids of its predictions."""
    wanted: Sequence[bytes]
    """Byte patterns that occur in files about it."""


@dataclass
class FileErasureResult:
    """The result for the files beside the store."""

    cleaned: list[tuple[Path, int]] = field(default_factory=list)
    """Files that rows of the case were removed from, with their number."""
    left: list[tuple[Path, str]] = field(default_factory=list)
    """Files that may still contain data of it, with a description."""


def erase_from_files(
    case: EntityMatcher, workspace: Workspace, spool: Path, searched: Collection[Path]
) -> FileErasureResult:
    """Remove a case from quarantined rows, dead letters of the spool and tables of earlier checks; report the rest.

    Files that cannot be read or written are reported as left, as are training tables, reports and logs on this machine
    that name the case; `searched` files are known to be clean.
    """
    result = FileErasureResult()
    for file in _files(workspace.quarantine, "*.csv"):
        _clean(result, file, partial(clean_csv, file, case.column, case.names, case.ids))
    for file in _files(home() / "artifacts", "*.parquet"):
        _clean(result, file, partial(clean_window, file, case.names, case.ids))
    for file in dead_letters(spool):
        _clean(result, file, partial(_remove, file, case.wanted))
    reported = {file for file, _ in result.left}
    for file in _files(home() / "artifacts", "*.parquet"):
        if file not in reported and (rows := count_rows(file, case.column, case.names)):
            result.left.append((file, f"{plural(rows, 'row')} of a training table"))
    for file in _files(workspace.folder, "*"):
        if file not in searched and (found := count_occurrences(file, case.wanted)):
            result.left.append((file, f"named {plural(found, 'time')}"))
    return result


def _clean(result: FileErasureResult, file: Path, work: Callable[[], int]) -> None:
    try:
        rows = work()
    except NoriaError as error:
        result.left.append((file, f"not cleaned: {error.what}"))
    except (OSError, ValueError, NotImplementedError, csv.Error) as error:  # another kind of table, or a damaged one
        result.left.append((file, f"not searched: {error}"))
    else:
        if rows:
            result.cleaned.append((file, rows))


def _remove(file: Path, wanted: Sequence[bytes]) -> int:
    if not count_occurrences(file, wanted):
        return 0
    file.unlink()
    return 1


def _files(folder: Path, kind: str) -> Iterator[Path]:
    return iter(sorted(path for path in folder.rglob(kind) if path.is_file()))
