"""The files of a spool: segments, named by a counter and never by a clock, and who holds them.

A writer holds the lock of its segment for as long as it may write to it. Whoever gets that lock knows that nobody
does any more; the system frees it when a process dies.
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
        OSError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.handle = _made(folder)
        self.id = os.urandom(_ID_BYTES)
        self.size = 0
        """Bytes that are written and whole."""
        self.born = time.monotonic()
        self.named_on_disk = False
        """Has the folder, too, been synced since the file was made?"""
        self.spoiled = False
        """Half a frame could not be cut off, so that nothing may follow it."""
        try:
            self.write(_MAGIC + self.id)
        except OSError:
            self.path.unlink()
            self.close()
            raise

    def write(self, data: bytes) -> None:
        """Append all of it or nothing: half of it is cut off again.

        Raises:
            OSError: the disk is full, or broken.
        """
        written = 0
        try:
            while written < len(data):  # a second turn finds out why the first one stopped short
                written += os.write(self.handle, data[written:] if written else data)
        except OSError:
            self._cut()
            raise
        self.size += written

    def sync(self) -> None:
        """Wait until everything that is written, and the file's name, is on the disk.

        Raises:
            OSError: it is not there.
        """
        os.fsync(self.handle)
        if not self.named_on_disk:
            sync_folder(self.path.parent)
            self.named_on_disk = True

    def close(self) -> None:
        """Give the segment up; whoever reads it may remove it then."""
        os.close(self.handle)

    def _cut(self) -> None:
        try:
            os.ftruncate(self.handle, self.size)
        except OSError:
            self.spoiled = True


def segments(folder: Path) -> list[Path]:
    """The segments, in the order in which they were begun."""
    return sorted(folder / name for name in _names(folder) if _SEGMENT.fullmatch(name))


def sync_folder(folder: Path) -> None:
    """Wait until the names in the folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def register_writer(folder: Path) -> FileIO:
    """Say that a writer lives, until the file that this returns is closed or the process ends."""
    file = FileIO(os.open(folder / _WRITERS, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def writers_live(folder: Path) -> bool:
    """Is there a process that may append to this spool?"""
    with held(folder / _WRITERS) as alone:
        return not alone


def writers(folder: Path) -> set[int]:
    """The processes that may append to this spool, as far as the system tells; only Linux does."""
    try:
        file, locks = (folder / _WRITERS).stat().st_ino, _LOCKS.read_text(encoding="ascii")
    except OSError:
        return set()
    holders = {int(found["process"]) for found in _LOCK.finditer(locks) if int(found["file"]) == file}
    return holders - {0}  # in another container


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold the lock of a file while the block runs, if nobody else does: was it to be had?"""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield locked(handle)
    finally:
        os.close(handle)


def locked(handle: int) -> bool:
    """Take the lock of an open file without waiting; closing the file gives it back."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _made(folder: Path) -> tuple[Path, int]:
    """A new and locked file with a number above all others'."""
    number = max((int(found[1]) for name in _names(folder) if (found := _NUMBERED.match(name))), default=0)
    while True:
        number += 1
        path = folder / f"{number:012d}.segment"
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            # a reader that came in between takes it for left behind, and removes it
            if locked(handle) and os.fstat(handle).st_nlink:
                return path, handle
            os.close(handle)


def _names(folder: Path) -> list[str]:
    return os.listdir(folder)  # noqa: PTH208 - on the path of a request once a second
