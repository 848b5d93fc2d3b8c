"""Ctrl-C and its kin: work in progress is told to stop, tidies up, and the command line says so."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TIDYING_S = 10.0
"""While work tidies up after the first signal, another one would only interrupt that."""


class Stopped(BaseException):
    """The user, or the system, wants this process to end.

    Not an `Exception`, so that nothing takes it for an error to recover from, and not a `KeyboardInterrupt`, which
    several libraries treat in their own way.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.exit_code = 128 + signum
        """What a shell expects of a process that ended by this signal."""


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise `Stopped` in the main thread on Ctrl-C, `kill`, and when the terminal is closed.

    Signals that the parent process has ordered to ignore (`nohup`) stay ignored.
    """
    first: list[float] = []

    def stop(signum: int, frame: FrameType | None) -> None:
        if first and time.monotonic() - first[0] < _TIDYING_S:
            return
        first[:] = [time.monotonic()]
        raise Stopped(signum)

    before = {each: signal.getsignal(each) for each in _SIGNALS}
    heard = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
    for each in heard:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in heard:
            signal.signal(each, before[each])
