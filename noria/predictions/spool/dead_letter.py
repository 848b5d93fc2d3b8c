"""Dead letters: bytes of a segment that are damaged or that the store rejects, in files of their own."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from noria.predictions.spool.codec import frame_end, next_frame
from noria.system.errors import NoriaError
from noria.system.files import atomic_path

_SUFFIX = ".dead-letter"
_OLD_SUFFIX = ".bad"
"""Of dead letters that earlier versions wrote."""


class SegmentPiece(NamedTuple):
    """The bytes from `start` to `end`: a frame, or damaged bytes."""

    start: int
    end: int
    is_valid: bool


def pieces(data: bytes, *, is_closed: bool) -> Iterator[SegmentPiece]:
    """The frames in `data` and the damaged bytes between them.

    Bytes after the last frame belong to one that is being written, unless the segment is closed: then they are damaged
    (usually by a power cut).
    """
    at = 0
    while at < len(data):
        end = frame_end(data, at)
        if end is not None:
            yield SegmentPiece(at, end, True)
        else:
            valid = next_frame(data, at + 1)
            if valid is None and not is_closed:
                return
            end = len(data) if valid is None else valid
            yield SegmentPiece(at, end, False)
        at = end


def write_dead_letter(segment: Path, head: bytes, start: int, content: bytes) -> Path:
    """Write bytes that the store cannot take to a file beside the segment.

    Raises:
        NoriaError: it cannot be written.
    """
    target = segment.with_name(f"{segment.stem}-{start}-{head[-4:].hex()}{_SUFFIX}")
    with atomic_path(target, mode=0o600) as part:
        part.write_bytes(content)
    return target


def dead_letters(folder: Path) -> list[Path]:
    """The dead letters in a spool's folder and below it, including those of earlier versions."""
    return sorted(path for suffix in (_SUFFIX, _OLD_SUFFIX) for path in folder.rglob(f"*{suffix}") if path.is_file())


def remove_dead_letters(folder: Path, before: datetime) -> None:
    """Remove the dead letters from before that moment: they hold personal data, too.

    Raises:
        NoriaError: one cannot be removed.
    """
    try:
        for path in dead_letters(folder):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
    except OSError as error:
        raise NoriaError(
            f"dead letters cannot be removed: {error.strerror}",
            code="spool.dead_letters_not_removed",
            where=str(folder),
            fix="free or unlock that path",
        ) from error
