"""Many Parquet files as one source, and predictions as a folder of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from noria.batch.chunk import Chunk
from noria.batch.parquet_source import ParquetSource
from noria.config import expand_environment
from noria.data.table_files import open_file
from noria.system.errors import NoriaError
from noria.system.files import write_failure

_AT_ONCE = 16
_ENDINGS = (".parquet", ".pq")


def is_folder(place: str) -> bool:
    """Whether a source is a folder, or a glob such as `FOLDER/2026-*.parquet`."""
    return place.endswith("/") or "*" in place or Path(place).is_dir()


@dataclass(frozen=True)
class ParquetPiece:
    """Consecutive rows of a Parquet file."""

    place: int
    """Which piece of the source it is, from 0."""
    file: str
    first: int
    """Number of its first row in the whole source, from 1."""
    groups: list[int]
    """Its row groups, from 0."""


class ParquetFiles:
    """The rows of one Parquet file or of several, file after file.

    Args:
        files: all with the same columns.
        where: what errors call them.
    """

    def __init__(self, files: list[str], where: str) -> None:
        self.where, self._files = where, files
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = list(threads.map(_looked_at, files))
        self.schema, self._groups = found[0][0], [groups for _, groups in found]
        self.names: list[str] = list(self.schema.names)
        for file, (schema, _) in zip(files, found, strict=True):
            if not schema.equals(self.schema):
                raise NoriaError(
                    f"its columns, or their types, are not those of {files[0]}",
                    code="batch.schemas_differ",
                    where=file,
                    fix="rewrite it with the same columns, or leave it out",
                )

    def chunks(self, inputs: list[str], rows: int) -> Iterator[Chunk]:
        """All rows in order, at most `rows` at a time."""
        first = 1
        for file, groups in zip(self._files, self._groups, strict=True):
            with open_file(file, where=file) as handle:
                yield from ParquetSource(handle, file).chunks(inputs, rows, first=first)
            first += sum(groups)

    def pieces(self, rows: int) -> Iterator[ParquetPiece]:
        """All rows in order, in pieces of one row group, or of several that have `rows` at most together."""
        place, first = 0, 1
        for file, groups in zip(self._files, self._groups, strict=True):
            together: list[int] = []
            size = 0
            for group, many in enumerate(groups):
                if together and size + many > rows:
                    yield ParquetPiece(place, file, first, together)
                    place, first, together, size = place + 1, first + size, [], 0
                together, size = [*together, group], size + many
            if together:
                yield ParquetPiece(place, file, first, together)
                place, first = place + 1, first + size


def _looked_at(file: str) -> tuple[Any, list[int]]:
    with open_file(file, where=file) as handle:
        source = ParquetSource(handle, file)
        return source.schema, source.groups


def list_parquet_files(source: str) -> list[str]:
    """The Parquet files directly in a folder, or those that a glob names, in the order of their names.

    Raises:
        NoriaError: there is none, or the folder cannot be read.
    """
    import fsspec

    pattern = source if "*" in source else source.rstrip("/") + "/*"
    folder, full = pattern.rpartition("/")[0], expand_environment(pattern, where=source)
    if "*" in folder:
        raise NoriaError(
            "a glob may stand for names of files only", code="batch.glob_in_folder", where=source, fix="name one folder"
        )
    try:
        files, path = fsspec.core.url_to_fs(full)
        names = sorted(name.rpartition("/")[2] for name in files.glob(path))
    except Exception as error:  # every file system has errors of its own
        said = str(error).replace(full, pattern)
        raise NoriaError(
            f"the folder cannot be read: {said}", code="data.file_unreadable", where=source, fix="check the path"
        ) from error
    found = [name for name in names if name.lower().endswith(_ENDINGS) and not name.startswith(("_", "."))]
    if not found:
        raise NoriaError(
            "no Parquet file there",
            code="batch.folder_empty",
            where=source,
            fix="name a folder with files that end in .parquet",
        )
    return [f"{folder}/{name}" if "/" in pattern else name for name in found]


@contextmanager
def staged(target: str) -> Iterator[str]:
    """A folder or URL beside `target`; it takes that place when all went well, and goes if not.

    Raises:
        NoriaError: there are files at the target already, or it cannot be written to.
    """
    import fsspec

    parent, _, name = target.rstrip("/").rpartition("/")
    staging = f"{parent}/.{name}.{token_hex(4)}.part" if parent else f".{name}.{token_hex(4)}.part"
    try:
        files, path = fsspec.core.url_to_fs(expand_environment(target.rstrip("/"), where=target))
        _, aside = fsspec.core.url_to_fs(expand_environment(staging, where=target))
        _require_empty(files, path, target)
        files.makedirs(aside)
    except OSError as error:
        raise _unwritable(error, target) from error
    try:
        yield staging
        _put_in_place(files, aside, path)
    except OSError as error:
        raise _unwritable(error, target) from error
    finally:
        with suppress(FileNotFoundError):
            files.rm(aside, recursive=True)


def _require_empty(files: Any, path: str, target: str) -> None:
    if files.exists(path) and (not files.isdir(path) or files.ls(path)):
        raise NoriaError(
            "there are files already, and predictions are not mixed with others",
            code="batch.target_taken",
            where=target,
            fix="name a new folder, or empty that one",
        )


def _put_in_place(files: Any, aside: str, path: str) -> None:
    if files.exists(path):
        files.rmdir(path)
    files.mv(aside, path, recursive=True)


def _unwritable(error: OSError, target: str) -> NoriaError:
    return NoriaError(
        f"cannot write: {write_failure(error)}",
        code="batch.target_unwritable",
        where=target,
        fix="choose a folder you may write to",
    )
