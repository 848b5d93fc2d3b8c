"""Waiting until the prediction store has what was answered."""

import time
from pathlib import Path

from noria.predictions.spool.offsets import waiting_bytes

_POLL_S = 0.05


def wait_until_flushed(folder: Path, timeout_s: float) -> bool:
    """Wait until nothing waits in the spool of `folder` any more, or for `timeout_s` seconds; did it come to that?

    A folder that is not there holds nothing.
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
