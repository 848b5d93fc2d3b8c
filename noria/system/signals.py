"""Ctrl-C and its kin: work in progress is stopped, tidies up, and the command line says so."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TIDYING_S = 10.0
"""While work tidies up after the first signal, another one would only interrupt that."""
_AGAIN_S = 0.05
"""After so long a stop that Python could not raise is raised again."""


class Stopped(BaseException):
    """The user, or the system, wants this process to end.

    Not an `Exception`, so that nothing takes it for an error to recover from, and not a `KeyboardInterrupt`, which
    several libraries treat in their own way.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.exit_code = 128 + signum
        """What a shell expects of a process that ended by this signal."""
        self.at = time.monotonic()


_request: list[Stopped] = []


def stop_requested() -> Stopped | None:
    """The signal that came, also where a library has put an error of its own in its place."""
    return _request[0] if _request else None


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise `Stopped` in the main thread on Ctrl-C, `kill`, and when the terminal is closed (not under `nohup`).

    After a stop the handlers stay, so that a second Ctrl-C does not break the end of the process.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        if _request and time.monotonic() - _request[0].at < _TIDYING_S:
            return
        _request[:] = [Stopped(signum)]
        raise _request[0]

    _request.clear()
    before = {each: signal.signal(each, stop) for each in _heard()}
    try:
        with _stops_that_were_lost():
            yield
    finally:
        for each, handler in before.items() if not _request else ():
            signal.signal(each, handler)


@contextmanager
def _stops_that_were_lost() -> Iterator[None]:
    """Raise a stop again that came while C called Python, as in a callback of XGBoost or in a `__del__`.

    An error cannot leave such a call: Python prints it as "ignored", and the work would go on.
    """
    before = sys.unraisablehook
    again: list[threading.Timer] = []

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        stopped = lost.exc_value
        if not isinstance(stopped, Stopped):
            before(lost)
            return
        stopped.at = -_TIDYING_S  # nothing tidies up yet
        timer = threading.Timer(_AGAIN_S, os.kill, (os.getpid(), stopped.exit_code - 128))
        timer.daemon = True
        again.append(timer)
        timer.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        for timer in again:
            timer.cancel()
        sys.unraisablehook = before


@contextmanager
def raise_if_stopped() -> Iterator[None]:
    """Raise `Stopped` at the end of the work of a library that heard the signal and made something else of it.

    Some put a `KeyboardInterrupt` in its place, and some take that for a wish to end their own loop and return.
    """
    before = stop_requested()
    try:
        yield
    except KeyboardInterrupt as error:
        if stop_requested() in (None, before):
            raise
        raise _request[0] from error
    if stop_requested() not in (None, before):
        raise _request[0]


@contextmanager
def defer_signals() -> Iterator[None]:
    """Hold signals back for the moment that a piece of work takes which must not be left half done."""
    if threading.current_thread() is not threading.main_thread():  # Python runs no handler there
        yield
        return
    came: list[int] = []
    before = {each: signal.signal(each, lambda signum, frame: came.append(signum)) for each in _heard()}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if came:
            signal.raise_signal(came[0])


def _heard() -> list[signal.Signals]:
    ignored = signal.getsignal(signal.SIGHUP) in (signal.SIG_IGN, None)
    return [each for each in _SIGNALS if each is not signal.SIGHUP or not ignored]
