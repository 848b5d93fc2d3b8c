"""Waiting until the spool is empty."""

import time
from pathlib import Path

from noria.predictions.spool.offsets import waiting_bytes

_POLL_S = 0.05


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
