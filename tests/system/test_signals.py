"""Signals end a process tidily, in the moment that suits it."""

import signal
import subprocess
import sys

import pytest

from noria.system.signals import Stopped, defer_signals, stop_on_signals, stop_requested
from noria.system.workspace import PROJECT

BUSY = """
import sys, time
from noria.system.signals import Stopped, stop_on_signals, defer_signals
try:
    with stop_on_signals():
        print("ready", flush=True)
        {body}
except Stopped as stop:
    print("tidy", flush=True)
    {after}
    sys.exit(stop.exit_code)
"""
WAIT = "while True: time.sleep(0.01)"


def started(body: str = WAIT, after: str = "pass", *, ignoring: signal.Signals | None = None) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY.format(body=body, after=after)],
        cwd=PROJECT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        preexec_fn=(lambda: signal.signal(ignoring, signal.SIG_IGN)) if ignoring else None,  # noqa: PLW1509
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_stops_with_its_exit_code(signum: signal.Signals, code: int) -> None:
    process = started()
    process.send_signal(signum)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, "tidy\n", "")


def test_a_second_signal_does_not_break_the_tidying() -> None:
    process = started(after="print('tidying', flush=True); sys.stdin.readline(); print('done', flush=True)")
    assert process.stdout is not None
    process.send_signal(signal.SIGTERM)
    assert [process.stdout.readline() for _ in range(2)] == ["tidy\n", "tidying\n"]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate("go on\n", timeout=30)
    assert (process.returncode, out, err) == (143, "done\n", "")


def test_a_signal_within_a_callback_of_c_stops_and_shows_no_traceback() -> None:
    body = """
        import ctypes, signal
        def call_back(): signal.raise_signal(signal.SIGINT); return 0
        ctypes.CFUNCTYPE(ctypes.c_int)(call_back)()
        print("went on", flush=True)
        while True: time.sleep(0.01)"""
    process = started(body)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "went on\ntidy\n", "")


def test_what_must_not_be_left_half_done_is_finished_first() -> None:
    body = """
        with defer_signals():
            print("begun", flush=True); sys.stdin.readline(); print("finished", flush=True)
        print("never")"""
    process = started(body)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate("go on\n", timeout=30)
    assert (process.returncode, out, err) == (130, "finished\ntidy\n", "")


def test_a_closed_terminal_does_not_matter_under_nohup() -> None:
    process = started("sys.stdin.readline(); print('went on', flush=True)", ignoring=signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate("go on\n", timeout=30)
    assert (process.returncode, out) == (0, "went on\n")


def test_without_a_signal_nothing_changes() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals():
        assert signal.getsignal(signal.SIGINT) is not before
        with defer_signals():
            pass
    assert signal.getsignal(signal.SIGINT) is before
    assert stop_requested() is None
    assert not issubclass(Stopped, Exception)


@pytest.mark.parametrize("instead", ["raise KeyboardInterrupt", "pass"])
def test_a_library_that_makes_something_else_of_the_signal_ends_with_it(instead: str) -> None:
    body = (
        "from noria.system.signals import raise_if_stopped\n"
        "        with raise_if_stopped():\n"
        "            try:\n"
        "                while True: time.sleep(0.01)\n"
        f"            except Stopped: {instead}\n"
        "        print('went on', flush=True)"
    )
    process = started(body)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert (out, process.returncode) == ("tidy\n", 128 + signal.SIGTERM)
