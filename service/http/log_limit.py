"""A limit on log lines that repeat: a client that sends nonsense should not fill the disk."""

import logging
import time

_MOST_KINDS = 1_000


class RepeatFilter(logging.Filter):
    """Lets a line through `most` times in `window_s` seconds; the first one after that says how many were left out.

    Lines are alike if their template, level and kind of exception are.
    """

    def __init__(self, most: int = 10, window_s: float = 60.0) -> None:
        super().__init__()
        self._most, self._window_s = most, window_s
        self._seen: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        now, key = time.monotonic(), _kind(record)
        began, number = self._seen.get(key, (now, 0))
        if now - began > self._window_s:
            if number > self._most:
                left_out = number - self._most
                record.msg, record.args = f"{record.getMessage()} (and {left_out} more like it, left out)", None
            began, number = now, 0
        if len(self._seen) >= _MOST_KINDS:
            self._seen.clear()
        self._seen[key] = (began, number + 1)
        return number < self._most


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    return record.levelno, str(record.msg)[:200], record.exc_info[0] if record.exc_info else None
