"""Files of JSON lines that are only ever appended to, and survive a crash in the middle of a line."""

import errno
import os
from pathlib import Path


def append_line(file: Path, line: bytes) -> None:
    """Add one line (without its end); it is on disk when this returns.

    A line that a crash has cut short stays by itself, and the new one starts below it. A line that does not fit on the
    disk is taken back.

    Raises:
        OSError: the file cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        text = b"\n" * cut + line + b"\n"
        if os.write(handle, text) < len(text):  # one write, so that lines of two processes do not mix
            os.ftruncate(handle, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
    finally:
        os.close(handle)
