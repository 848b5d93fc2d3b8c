"""What a segment holds, around bytes that are damaged, and where those bytes are put."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from noria.errors import NoriaError
from noria.files import atomic_path
from noria.spool.entries import Entry
from noria.spool.frames import entry_at, next_frame


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes from `start` to `end`: an entry, or damaged ones."""

    entry: Entry | None
    start: int
    end: int


def pieces(data: bytes, *, is_ended: bool) -> Iterator[Piece]:
    """The entries in `data` and the damaged places between them.

    What follows the last entry belongs to one that is being written, unless the segment has ended: then it is damaged
    (torn by a power cut, as a rule).
    """
    at = 0
    while at < len(data):
        found = entry_at(data, at)
        if found is not None:
            entry, end = found
            yield Piece(entry, at, end)
        else:
            sound = next_frame(data, at + 1)
            if sound is None and not is_ended:
                return
            end = len(data) if sound is None else sound
            yield Piece(None, at, end)
        at = end


def set_aside(segment: Path, head: bytes, start: int, damaged: bytes) -> Path:
    """Keep bytes that the store cannot take, in a file of their own beside the segment.

    Raises:
        NoriaError: it cannot be written.
    """
    target = segment.with_name(f"{segment.stem}-{start}-{head[-4:].hex()}.bad")
    with atomic_path(target) as part:
        part.write_bytes(damaged)
    target.chmod(0o600)
    return target


def remove_set_aside(folder: Path, before: datetime) -> None:
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
