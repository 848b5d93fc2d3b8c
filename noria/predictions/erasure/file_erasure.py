"""Erasure from files beside the store: what Noria wrote is cleaned, and then all of it is searched."""

import csv
import lzma
import os
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from noria.predictions.erasure.entity_matcher import EntityMatcher
from noria.predictions.erasure.reach import Reach
from noria.predictions.erasure.search_patterns import blank_occurrences, count_in_content
from noria.predictions.erasure.table_erasure import clean_csv, clean_parquet
from noria.predictions.spool.dead_letter import dead_letters
from noria.reporting import plural
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace, home

_SEAL = "manifest.sha256"
_TEXTS = {".csv", ".htm", ".html", ".log", ".md", ".out", ".txt"}
"""Endings of files that people read."""
_RESULTS = {"artifacts", "evidently", "labels", "reports"}
"""Folders whose JSON files hold results, not the state of something that runs."""
_DAMAGED = (OSError, EOFError, ValueError, NotImplementedError, csv.Error, lzma.LZMAError, zipfile.BadZipFile)


@dataclass
class FileErasureResult:
    """The result for the files beside the store."""

    cleaned: list[tuple[Path, str]] = field(default_factory=list)
    """Files and bundles that data of the case was removed from, and what."""
    left: list[tuple[Path, str]] = field(default_factory=list)
    """Files that may still contain data of it, with a description."""
    searched: list[tuple[Path, int, int]] = field(default_factory=list)
    """Folder, its files, and their bytes: all were searched afterwards."""


def written_folders(workspace: Workspace, spool: Path, reach: Reach) -> list[Path]:
    """The folders that Noria writes to, none below another one."""
    folders = sorted({path.resolve() for path in (home(), workspace.folder, spool, *reach.folders) if path.is_dir()})
    return [path for path in folders if not any(other in path.parents for other in folders)]


def erase_from_files(
    case: EntityMatcher, workspace: Workspace, spool: Path, searched: Collection[Path], reach: Reach
) -> FileErasureResult:
    """Remove a case from everything that Noria wrote, then search all of it; what is left is reported.

    Rows are removed from tables and sealed bundles; dead letters of the spool are removed; in reports, logs and results
    its texts are overwritten. Files of other use cases are searched only. `searched` files are known to be clean.
    """
    result = FileErasureResult()
    folders = written_folders(workspace, spool, reach)
    for file in dead_letters(spool):
        _clean(result, file, partial(_remove, file, case.patterns), "dead letter")
    bundles = [file.parent for folder in folders for file in _files(folder) if file.name == _SEAL]
    for bundle in bundles:
        _clean_bundle(result, bundle, case, reach)
    for file in (file for folder in folders for file in _files(folder)):
        if file not in searched and file.parent not in bundles and _is_own(file, workspace, spool, reach):
            _clean_file(result, file, case)
    for folder in folders:
        _search(result, folder, case, searched, workspace)
    for file in (path for output in reach.outputs for path in ([output] if output.is_file() else _files(output))):
        _report(result, file, case.patterns, "; made by `predict`: remove the rows there")
    return result


def _clean_file(result: FileErasureResult, file: Path, case: EntityMatcher) -> None:
    ending = file.suffix.lower()
    if ending == ".parquet":
        _clean(result, file, partial(clean_parquet, file, case), "row")
    if ending == ".csv":
        _clean(result, file, partial(clean_csv, file, case), "row")
    if ending in _TEXTS or (ending == ".json" and _is_result(file)):
        _clean(result, file, partial(blank_occurrences, file, case.patterns), "overwritten text")


def _clean_bundle(result: FileErasureResult, folder: Path, case: EntityMatcher, reach: Reach) -> None:
    if reach.erase_bundle is None:
        return
    try:
        done = reach.erase_bundle(folder, case)
    except NoriaError as error:
        result.left.append((folder, f"not cleaned: {error.what}"))
        return
    if done.rows:
        result.cleaned.append((folder, f"{plural(done.rows, 'row')} of a model bundle, which is sealed again"))
    if done.left:
        result.left.append((folder, done.left))


def _clean(result: FileErasureResult, file: Path, work: Callable[[], int], unit: str) -> None:
    try:
        done = work()
    except NoriaError as error:
        result.left.append((file, f"not cleaned: {error.what}"))
    except _DAMAGED as error:  # another kind of file, or a damaged one
        result.left.append((file, f"not searched: {error}"))
    else:
        if done:
            result.cleaned.append((file, plural(done, unit)))


def _search(
    result: FileErasureResult, folder: Path, case: EntityMatcher, searched: Collection[Path], workspace: Workspace
) -> None:
    files = [file for file in _files(folder) if file not in searched]
    for file in files:
        other = _other_use_case(file, workspace)
        hint = f"; of the use case `{other}`: forget it there, too" if other else ""
        _report(result, file, case.patterns, hint)
    result.searched.append((folder, len(files), sum(file.stat().st_size for file in files if file.is_file())))


def _report(result: FileErasureResult, file: Path, patterns: list[bytes], hint: str) -> None:
    reported = {path for path, _ in result.left}
    if file in reported or file.parent in reported:
        return
    try:
        found = count_in_content(file, patterns)
    except _DAMAGED as error:
        result.left.append((file, f"not searched: {error}"))
        return
    if found:
        result.left.append((file, f"named {plural(found, 'time')}{hint}"))


def _is_own(file: Path, workspace: Workspace, spool: Path, reach: Reach) -> bool:
    own = [workspace.folder, home() / "artifacts", spool, *reach.folders]
    return any(path.resolve() in file.parents for path in own)


def _is_result(file: Path) -> bool:
    inside = file.relative_to(home()) if home() in file.parents else file
    return not _RESULTS.isdisjoint(inside.parts[:-1])


def _other_use_case(file: Path, workspace: Workspace) -> str:
    """The use case whose workspace a file is in, if it is another one."""
    if home() not in file.parents or file.parent == home():
        return ""
    first = file.relative_to(home()).parts[0]
    return "" if first in {workspace.use_case, "artifacts", "zenml"} else first


def _remove(file: Path, patterns: list[bytes]) -> int:
    if not count_in_content(file, patterns):
        return 0
    file.unlink()
    return 1


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder; links are not followed, and what vanishes meanwhile is left out."""
    found = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return iter(sorted(path for path in found if path.is_file() and not path.is_symlink()))
