"""One writer's segments, one after the other."""

import errno
import os
import threading
import time
from pathlib import Path

from noria.predictions.spool.offsets import offset_file
from noria.predictions.spool.segments import START, Segment

SEGMENT_BYTES = 8_000_000
"""A segment that is as long as this is followed by a new one."""
_KEPT_S = 1.0
_TEST_BYTES = 65_536


class Journal:
    """Entries in the order in which they were appended; safe for several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        self._segment: Segment | None = None
        self._retired: list[Segment] = []
        self.position = 0
        """Entries that were appended."""
        self.bytes = 0
        """Their frames' bytes."""

    def append(self, frame: bytes) -> int:
        """Hand a frame to the operating system; how many there are now.

        Raises:
            OSError: the disk is full, or broken; nothing of the frame is left.
        """
        with self._turn:
            segment = self._segment
            if segment is None or segment.size >= SEGMENT_BYTES:
                segment = self._begun()
            try:
                segment.write(frame)
            except OSError:
                if segment.size > START or segment.spoiled:  # once it is read and removed, there is room again
                    self._retire()
                raise
            self.bytes += len(frame)
            self.position += 1
            return self.position

    def sync(self) -> tuple[int, OSError | None]:
        """Wait until all that was appended so far is on the disk: how much that is, and why it is not there.

        After an error the system may have forgotten what it could not write, so that a second try proves nothing:
        what follows goes into a new segment.
        """
        with self._turn:
            position, current = self.position, self._segment
            retired, self._retired = self._retired, []
        failed = None
        try:
            for segment in (*retired, current):
                if segment is not None:
                    segment.sync()
        except OSError as error:
            failed = error
            self.leave(current)
        for segment in retired:
            segment.close()
        return position, failed

    def tidy(self) -> bool:
        """Leave the current segment if its reader keeps up, so that it can be removed: is there one to close now?

        While nobody reads, it is filled, so that an outage leaves few files behind.
        """
        current = self._segment
        if current is not None and (self._is_read(current) or not os.fstat(current.handle).st_nlink):
            self.leave(current)
        return bool(self._retired)

    def test(self) -> None:
        """Write and sync something that is removed again.

        Raises:
            OSError: the disk does not take it.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # somebody may have removed it
        path = self._folder / f"{os.getpid()}-{id(self)}.test"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        path.unlink()
        try:
            if os.write(handle, bytes(_TEST_BYTES)) < _TEST_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        finally:
            os.close(handle)

    def leave(self, segment: Segment | None) -> None:
        """Append no more to this segment; the next `sync` closes it."""
        with self._turn:
            if segment is not None and segment is self._segment:
                self._retire()

    def close(self) -> None:
        """Leave the current segment; the next `sync` closes it."""
        self.leave(self._segment)

    def _begun(self) -> Segment:
        self._retire()
        try:
            self._segment = Segment(self._folder)
        except FileNotFoundError:  # somebody removed the folder
            self._folder.mkdir(parents=True, mode=0o700)
            self._segment = Segment(self._folder)
        return self._segment

    def _retire(self) -> None:
        if self._segment is not None:
            self._retired.append(self._segment)
            self._segment = None

    @staticmethod
    def _is_read(segment: Segment) -> bool:
        return time.monotonic() - segment.born > _KEPT_S and offset_file(segment.path).exists()
