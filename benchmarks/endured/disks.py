"""Disks that are full for a while: the one that the spool lies on."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psutil

from noria.system.processes import ProcessIdentity

_BLOCK = 4096
_POLL_S = 0.05
_MIN_FILE_BYTES = 1
"""A limit of none at all is taken for no limit by some systems."""


class Disk(Protocol):
    """The disk of the spool."""

    title: str
    folder: Path
    """A folder on it."""

    def fill(self) -> None:
        """Leave no room on it, until `free`."""

    def free(self) -> None:
        """Give back the room."""


class _Mounted:
    """A small file system in memory, filled with one file. What the flusher frees meanwhile is taken, too."""

    def __init__(self, folder: Path, size_mb: int) -> None:
        self.title, self.folder = f"a file system of {size_mb} MB", folder
        self._filler = folder / "filler"
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def fill(self) -> None:
        self._over.clear()
        self._take()
        self._thread = threading.Thread(target=self._keep_full)
        self._thread.start()

    def free(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._filler.unlink(missing_ok=True)

    def _keep_full(self) -> None:
        while not self._over.wait(_POLL_S):
            self._take()

    def _take(self) -> None:
        with self._filler.open("ab") as file, suppress(OSError):  # somebody else was faster
            while free := shutil.disk_usage(self.folder).free // _BLOCK:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free * _BLOCK)


class _Limited:
    """Any folder; the processes that write to it may write no file that is longer than nothing."""

    title = "a limit on the length of files (no file system could be mounted)"

    def __init__(self, folder: Path, writers: Callable[[], list[ProcessIdentity]]) -> None:
        self.folder, self._writers = folder, writers

    def fill(self) -> None:
        self._limit(_MIN_FILE_BYTES)

    def free(self) -> None:
        self._limit(psutil.RLIM_INFINITY)

    def _limit(self, length: int) -> None:
        for each in self._writers():
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(each.pid)
                process.rlimit(psutil.RLIMIT_FSIZE, (length, process.rlimit(psutil.RLIMIT_FSIZE)[1]))


@contextmanager
def small_disk(folder: Path, size_mb: int, writers: Callable[[], list[ProcessIdentity]]) -> Iterator[Disk]:
    """A disk for the spool, mounted at `folder`; without the right to mount, `writers` are limited instead."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=0700", "noria-endurance", str(folder)]
    try:
        is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own
    except OSError:
        is_mounted = False
    disk: Disk = _Mounted(folder, size_mb) if is_mounted else _Limited(folder, writers)
    try:
        yield disk
    finally:
        disk.free()
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)  # noqa: S603, S607
