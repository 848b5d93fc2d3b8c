"""Rotation of a log that a running process writes to."""

import os
import shutil
from pathlib import Path

SERVER_LOG = "server.log"
"""The log of a server, in its service folder."""
LONGEST_LOG = 10_000_000
"""Bytes of a log, and of the older one beside it."""


def older_log(path: Path) -> Path:
    """Where the older lines of a log are."""
    return path.with_name(path.name + ".1")


def rotate_log(path: Path, longest: int = LONGEST_LOG) -> bool:
    """Move the lines of a log that is too long to `older_log`; returns whether it did.

    The writer keeps its file, which is copied and emptied, so it must have been opened for appending. Lines that are
    written between these two are lost.
    """
    try:
        if path.stat().st_size <= longest:
            return False
        older = older_log(path)
        copy = older.with_name(older.name + ".tmp")
        shutil.copyfile(path, copy)
        copy.replace(older)
        os.truncate(path, 0)
    except OSError:  # there is no log here, or no room for a copy
        return False
    return True
