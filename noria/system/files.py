"""Writing files so that a reader never sees half of one."""

import atexit
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from noria.system.errors import NoriaError


@contextmanager
def atomic_path(target: Path, mode: int = 0o644) -> Iterator[Path]:
    """Give a temporary path beside `target`; on success it replaces `target`, on any error it is removed.

    Raises:
        NoriaError: the folder cannot be written to, or the disk is full.
    """
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "there is a folder of that name")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise NoriaError(
            f"cannot write: {write_failure(error)}",
            code="workspace.file_unwritable",
            where=str(target),
            fix="choose a folder you may write to",
        ) from error
    part = Path(name)
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.chmod(mode)
        part.replace(target)
    except OSError as error:
        raise NoriaError(
            f"cannot write: {write_failure(error)}",
            code="workspace.file_unwritable",
            where=str(target),
            fix="free some space or choose another folder",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def write_failure(error: OSError) -> str:
    """Why something could not be written, without the names of temporary files."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a part of its path is a file, not a folder"
    return error.strerror or str(error)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(target) as part:
        part.write_text(text, encoding="utf-8")


def write_private(target: Path, text: str) -> None:
    """Write UTF-8 text atomically into a file that its owner alone can read."""
    with atomic_path(target, mode=0o600) as part:
        part.write_text(text, encoding="utf-8")


def create_private(target: str | Path) -> None:
    """Create an empty file that its owner alone can read. One that is there is left alone.

    What cannot be created is no error here: the code that opens the file meets the same, and can say what it is for.
    """
    with suppress(OSError):
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))


def scratch_folder() -> Path:
    """A new temporary folder that is removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="noria-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
