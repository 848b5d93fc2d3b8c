"""The read offset of a segment: a small file beside it, written after the store has committed.

It only saves work: if it is lost or torn, the segment is read again from its beginning, and the store ignores
duplicates. It names its segment by the identifier in its header, because file numbers may be reused.
"""

import os
import struct
from pathlib import Path
from zlib import crc32

from noria.predictions.spool.segments import START, segments

_RECORD = struct.Struct("<24sQ")
_BYTES = _RECORD.size + 4


def read_offset(segment: Path, head: bytes) -> int:
    """The offset up to which the segment with this header (its first `START` bytes) has been read."""
    try:
        record = offset_file(segment).read_bytes()
    except OSError:
        return START
    if len(record) != _BYTES or crc32(record[:-4]) != int.from_bytes(record[-4:], "little"):
        return START
    owner, offset = _RECORD.unpack(record[:-4])
    return int(offset) if owner == head else START


def write_offset(segment: Path, head: bytes, offset: int) -> None:
    """Write the offset up to which the segment has been read.

    Raises:
        OSError: it cannot be written; the segment will be read again.
    """
    record = _RECORD.pack(head, offset)
    handle = os.open(offset_file(segment), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, record + crc32(record).to_bytes(4, "little"), 0)
    finally:
        os.close(handle)


def offset_file(segment: Path) -> Path:
    """The file with the offset of a segment."""
    return segment.with_suffix(".position")


def waiting_bytes(folder: Path) -> int:
    """Bytes of all segments that the store does not have yet.

    Raises:
        OSError: the folder cannot be read.
    """
    return sum(_unread(path) for path in segments(folder))


def _unread(path: Path) -> int:
    try:
        with path.open("rb", buffering=0) as file:
            head, size = file.read(START), os.fstat(file.fileno()).st_size
    except FileNotFoundError:  # removed meanwhile
        return 0
    return max(0, size - read_offset(path, head))
