"""The segment files of a spool, numbered by a counter, and their locks.

A writer holds the lock of its segment as long as it may write to it. A process that gets the lock knows that the
segment is closed; the system releases it when a process dies.
"""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

_MAGIC = b"noria01\n"
_ID_BYTES = 16
START = len(_MAGIC) + _ID_BYTES
"""Where the first frame of a segment begins."""
_SEGMENT = re.compile(r"(\d{12})\.segment")
_NUMBERED = re.compile(r"(\d{12})[-.]")
_WRITERS = "writers.lock"
_LOCKS = Path("/proc/locks")
_LOCK = re.compile(r"FLOCK +\w+ +\w+ +(?P<process>\d+) +\w+:\w+:(?P<file>\d+) ")


class Segment:
    """A segment that this process appends to; not safe for several threads.

    Raises:
        OSError: it cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.handle = _create_segment(folder)
        self._file = file_of(self.handle)
        self.id = os.urandom(_ID_BYTES)
        self.size = 0
        """Bytes of complete frames."""
        self.born = time.monotonic()
        self.is_folder_synced = False
        """Whether the folder has been synced since the file was created."""
        self.is_spoiled = False
        """Half a frame could not be truncated, so nothing may follow it."""
        try:
            self.write(_MAGIC + self.id)
        except OSError:
            self.path.unlink()
            self.close()
            raise

    def write(self, data: bytes) -> None:
        """Append all of it or nothing: a partial write is truncated.

        Raises:
            OSError: the disk is full or broken.
        """
        written = 0
        try:
            while written < len(data):  # a second write reports why the first one was partial
                written += os.write(self.handle, data[written:] if written else data)
        except OSError:
            self._truncate()
            raise
        self.size += written

    def sync(self) -> None:
        """Wait until everything that is written, and the file's name, is on disk.

        Raises:
            OSError: that fails.
        """
        os.fsync(self.handle)
        if not self.is_folder_synced:
            sync_folder(self.path.parent)
            self.is_folder_synced = True

    @property
    def is_lost(self) -> bool:
        """Whether no reader can find it, because its file or its folder was removed or moved. One system call."""
        return not is_same_file(self.path, self._file)

    def frames(self) -> bytes:
        """All complete frames.

        Raises:
            OSError: they cannot be read.
        """
        return os.pread(self.handle, self.size - START, START)

    def close(self) -> None:
        """Close the segment; its reader may then remove it."""
        os.close(self.handle)

    def _truncate(self) -> None:
        try:
            os.ftruncate(self.handle, self.size)
        except OSError:
            self.is_spoiled = True


def file_of(handle: int) -> tuple[int, int]:
    """Identifies the file of an open handle."""
    status = os.fstat(handle)
    return status.st_dev, status.st_ino


def is_same_file(path: Path, file: tuple[int, int]) -> bool:
    """Whether this file is at `path`."""
    try:
        status = os.stat(path)  # noqa: PTH116 - on the path of a request
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == file


def segments(folder: Path) -> list[Path]:
    """The segments, in the order in which they were begun."""
    return sorted(folder / name for name in _names(folder) if _SEGMENT.fullmatch(name))


def sync_folder(folder: Path) -> None:
    """Wait until the names in the folder are on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def register_writer(folder: Path) -> FileIO:
    """Register a live writer, until the returned file is closed or the process ends."""
    file = FileIO(os.open(folder / _WRITERS, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def is_registered(folder: Path, registration: FileIO) -> bool:
    """Whether what `register_writer` has returned is still what `writers_live` looks at."""
    return is_same_file(folder / _WRITERS, file_of(registration.fileno()))


def writers_live(folder: Path) -> bool:
    """Whether a live process may append to this spool."""
    with hold_lock(folder / _WRITERS) as alone:
        return not alone


def writers(folder: Path) -> set[int]:
    """The processes that may append to this spool, as far as the system reports them; only Linux does."""
    try:
        file, locks = (folder / _WRITERS).stat().st_ino, _LOCKS.read_text(encoding="ascii")
    except OSError:
        return set()
    holders = {int(found["process"]) for found in _LOCK.finditer(locks) if int(found["file"]) == file}
    return holders - {0}  # in another container


@contextmanager
def hold_lock(path: Path) -> Iterator[bool]:
    """Hold the lock of a file while the block runs; yields whether it was free."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield try_lock(handle)
    finally:
        os.close(handle)


def try_lock(handle: int) -> bool:
    """Take the lock of an open file without waiting; closing the file releases it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _create_segment(folder: Path) -> tuple[Path, int]:
    """Create and lock a file with a number above all others."""
    number = max((int(found[1]) for name in _names(folder) if (found := _NUMBERED.match(name))), default=0)
    while True:
        number += 1
        path = folder / f"{number:012d}.segment"
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            # a reader may take it for abandoned and remove it in between
            if try_lock(handle) and os.fstat(handle).st_nlink:
                return path, handle
            os.close(handle)


def _names(folder: Path) -> list[str]:
    return os.listdir(folder)  # noqa: PTH208 - on the path of a request once a second
