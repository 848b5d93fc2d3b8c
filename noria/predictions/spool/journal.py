"""The journal of one writer: a sequence of segments.

Somebody may remove or move the spool's folder while it is in use. What was written since is in no reader's sight, but
still behind the open file: it is written again into a new segment. The store ignores what it already has.
"""

import errno
import logging
import os
import threading
import time
from pathlib import Path

from noria.predictions.spool.offsets import offset_file
from noria.predictions.spool.segments import START, Segment

SEGMENT_BYTES = 8_000_000
"""A segment that has reached this size is followed by a new one."""
_MIN_SEGMENT_AGE_S = 1.0
_TEST_BYTES = 65_536
_LOOK_S = 0.01
"""A request looks whether its segment is still there if the last one has looked longer ago; so does every commit."""
logger = logging.getLogger("noria.predictions.spool")


class Journal:
    """Frames in the order in which they were appended; safe for several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._segment: Segment | None = None
        self._retired: list[Segment] = []
        self._look_at = 0.0
        self.position = 0
        """Number of appended frames."""
        self.bytes = 0
        """Their size in bytes."""

    def append(self, frame: bytes) -> int:
        """Hand a frame to the operating system; returns its position.

        Raises:
            OSError: the disk is full or broken; nothing of the frame is left.
        """
        with self._lock:
            if (now := time.monotonic()) > self._look_at:
                self._look_at = now + _LOOK_S
                self._rescue()
            segment = self._segment
            if segment is None or segment.size >= SEGMENT_BYTES:
                segment = self._start_segment()
            try:
                segment.write(frame)
            except OSError:
                if segment.size > START or segment.is_spoiled:  # once it is read and removed, there is room again
                    self._retire()
                raise
            self.bytes += len(frame)
            self.position += 1
            return self.position

    def sync(self) -> tuple[int, OSError | None]:
        """Wait until everything appended so far is on disk; returns the position reached, and the error if it failed.

        After an error the system may have dropped what it could not write, so that a second try proves nothing:
        later frames go into a new segment.
        """
        failed = None
        with self._lock:
            try:
                self._rescue()
            except OSError as error:
                failed = error
            position, current = self.position, self._segment
            retired, self._retired = self._retired, []
        if failed is not None:
            with self._lock:
                self._retired += retired  # their handles are all that is left of what they hold
            return position, failed
        try:
            for segment in (*retired, current):
                if segment is not None:
                    segment.sync()
        except OSError as error:
            failed = error
            self.retire(current)
        for segment in retired:
            segment.close()
        return position, failed

    def tidy(self) -> bool:
        """Retire the current segment if it has been read, so that it can be removed; is there one to close now?

        Without a reader it is filled up, so that an outage leaves few files behind.
        """
        with self._lock:
            self._rescue()
        current = self._segment
        if current is not None and self._is_read(current):
            self.retire(current)
        return bool(self._retired)

    def test(self) -> None:
        """Write and sync a temporary file.

        Raises:
            OSError: that fails.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # it may have been removed
        path = self._folder / f"{os.getpid()}-{id(self)}.test"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        path.unlink()
        try:
            if os.write(handle, bytes(_TEST_BYTES)) < _TEST_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        finally:
            os.close(handle)

    def retire(self, segment: Segment | None) -> None:
        """Stop appending to this segment; the next `sync` closes it."""
        with self._lock:
            if segment is not None and segment is self._segment:
                self._retire()

    def close(self) -> None:
        """Retire the current segment; the next `sync` closes it."""
        self.retire(self._segment)

    def _rescue(self) -> None:
        """Write what lost segments hold into a new one; the lock is held.

        Raises:
            OSError: that fails; they are kept for another try.
        """
        lost = [segment for segment in self._retired if segment.is_lost]
        current = self._segment
        if current is not None and current.is_lost:
            lost.append(current)
            self._retire()
        for segment in lost:
            frames = segment.frames()
            if frames:
                (self._segment or self._start_segment()).write(frames)
            logger.warning("%s was removed or moved; %d bytes were written again", segment.path, len(frames))
            self._retired.remove(segment)
            segment.close()

    def _start_segment(self) -> Segment:
        self._retire()
        try:
            self._segment = Segment(self._folder)
        except FileNotFoundError:  # the folder has been removed
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._segment = Segment(self._folder)
        return self._segment

    def _retire(self) -> None:
        if self._segment is not None:
            self._retired.append(self._segment)
            self._segment = None

    @staticmethod
    def _is_read(segment: Segment) -> bool:
        return time.monotonic() - segment.born > _MIN_SEGMENT_AGE_S and offset_file(segment.path).exists()
