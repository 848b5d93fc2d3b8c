"""What waits in the spool, and waiting until it is empty."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from noria.predictions.records import SMOKE
from noria.predictions.spool.codec import decode_frame, frame_end, next_frame
from noria.predictions.spool.events import Event, LabelEvent, PredictionEvent
from noria.predictions.spool.offsets import read_offset, waiting_bytes
from noria.predictions.spool.segments import START, segments

_POLL_S = 0.05


class WaitingEvents(NamedTuple):
    """What the prediction store does not have yet."""

    predictions: int
    labels: int


def waiting_events(folder: Path) -> WaitingEvents:
    """Count what waits in the spool in `folder`, without smoke tests; a missing folder counts as empty.

    Raises:
        OSError: it cannot be read.
    """
    predictions = labels = 0
    for path in segments(folder) if folder.is_dir() else ():
        for event in _unread_events(path):
            if isinstance(event, PredictionEvent) and event.variant != SMOKE:
                predictions += len(event.ids)
            labels += isinstance(event, LabelEvent)
    return WaitingEvents(predictions, labels)


def _unread_events(path: Path) -> Iterator[Event]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # removed meanwhile
        return
    at = next_frame(content, read_offset(path, content[:START]))
    while at is not None and (end := frame_end(content, at)) is not None:
        event = decode_frame(content, at, end)
        if event is not None:
            yield event
        at = next_frame(content, end)


def wait_until_flushed(folder: Path, timeout_s: float) -> bool:
    """Wait until the spool in `folder` is empty, for at most `timeout_s` seconds; returns whether it is.

    A missing folder counts as empty.
    """
    until = time.monotonic() + timeout_s
    while True:
        try:
            if not folder.is_dir() or not waiting_bytes(folder):
                return True
        except OSError:
            return False
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_S)
