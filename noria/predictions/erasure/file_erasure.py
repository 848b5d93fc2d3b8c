"""Files beside the store: what Noria left of kept rows there is cleaned, anything else is told."""

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from noria.predictions.erasure.search_patterns import count_occurrences
from noria.predictions.erasure.table_erasure import clean_csv, clean_window, rows_in
from noria.reporting import plural
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace, home


@dataclass(frozen=True)
class EntityMatcher:
    """By what a case is recognised."""

    column: str
    """The identifier's column in tables."""
    names: Sequence[str]
    ids: Sequence[str]
    """Those of its predictions."""
    wanted: Sequence[bytes]
    """Pieces of text that stand for it in files."""


@dataclass
class FileErasureResult:
    """What came of the files beside the store."""

    cleaned: list[tuple[Path, int]] = field(default_factory=list)
    """Files that rows of the case were taken out of, with how many."""
    left: list[tuple[Path, str]] = field(default_factory=list)
    """Files in which something of it may still be, with what that is."""


def erase_from_files(
    case: EntityMatcher, workspace: Workspace, spool: Path, searched: Collection[Path]
) -> FileErasureResult:
    """Take a case out of quarantined rows, damaged pieces of the spool and tables of earlier checks; find the rest.

    What cannot be read or written is told as left, as are training tables, reports and logs on this machine that name
    the case; `searched` files are known to be clean.
    """
    swept = FileErasureResult()
    for file in _found(workspace.quarantine, "*.csv"):
        _clean(swept, file, partial(clean_csv, file, case.column, case.names, case.ids))
    for file in _found(home() / "artifacts", "*.parquet"):
        _clean(swept, file, partial(clean_window, file, case.names, case.ids))
    for file in _found(spool, "*.bad"):
        _clean(swept, file, partial(_remove, file, case.wanted))
    told = {file for file, _ in swept.left}
    for file in _found(home() / "artifacts", "*.parquet"):
        if file not in told and (rows := rows_in(file, case.column, case.names)):
            swept.left.append((file, f"{plural(rows, 'row')} of a training table"))
    for file in _found(workspace.folder, "*"):
        if file not in searched and (found := count_occurrences(file, case.wanted)):
            swept.left.append((file, f"named {plural(found, 'time')}"))
    return swept


def _clean(swept: FileErasureResult, file: Path, work: Callable[[], int]) -> None:
    try:
        rows = work()
    except NoriaError as error:
        swept.left.append((file, f"not cleaned: {error.what}"))
    except (OSError, ValueError, NotImplementedError, csv.Error) as error:  # no such table, or a damaged one
        swept.left.append((file, f"not searched: {error}"))
    else:
        if rows:
            swept.cleaned.append((file, rows))


def _remove(file: Path, wanted: Sequence[bytes]) -> int:
    if not count_occurrences(file, wanted):
        return 0
    file.unlink()
    return 1


def _found(folder: Path, kind: str) -> Iterator[Path]:
    return iter(sorted(path for path in folder.rglob(kind) if path.is_file()))
