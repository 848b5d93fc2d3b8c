"""What a segment holds, around bytes that are damaged, and where those bytes are put."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from noria.predictions.spool.codec import frame_end, next_frame
from noria.system.errors import NoriaError
from noria.system.files import atomic_path


class SegmentPiece(NamedTuple):
    """The bytes from `start` to `end`: a frame, or damaged ones."""

    start: int
    end: int
    is_sound: bool


def pieces(data: bytes, *, is_ended: bool) -> Iterator[SegmentPiece]:
    """The frames in `data` and the damaged places between them.

    What follows the last frame belongs to one that is being written, unless the segment has ended: then it is damaged
    (torn by a power cut, as a rule).
    """
    at = 0
    while at < len(data):
        end = frame_end(data, at)
        if end is not None:
            yield SegmentPiece(at, end, True)
        else:
            sound = next_frame(data, at + 1)
            if sound is None and not is_ended:
                return
            end = len(data) if sound is None else sound
            yield SegmentPiece(at, end, False)
        at = end


def write_dead_letter(segment: Path, head: bytes, start: int, damaged: bytes) -> Path:
    """Keep bytes that the store cannot take, in a file of their own beside the segment.

    Raises:
        NoriaError: it cannot be written.
    """
    target = segment.with_name(f"{segment.stem}-{start}-{head[-4:].hex()}.bad")
    with atomic_path(target, mode=0o600) as part:
        part.write_bytes(damaged)
    return target


def remove_dead_letters(folder: Path, before: datetime) -> None:
    """Remove the bytes that were set aside before that moment: they hold what people sent, too.

    Raises:
        NoriaError: one cannot be removed.
    """
    try:
        for path in folder.glob("*.bad"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
    except OSError as error:
        raise NoriaError(
            f"what was set aside cannot be removed: {error.strerror}", where=str(folder), fix="free or unlock that path"
        ) from error
