"""The keeper: a process beside the workers that moves their answers to the prediction store.

One per spool, however many are started. Any worker starts it when it is missing. It ends when no worker lives any
more and the spool is empty, or the store does not work: what is left waits for the next start. SIGTERM makes it move
what is there and end.

    python -m service.flusher.flusher_launcher
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from noria.predictions.spool.heartbeat import FLUSHER_LOCK
from noria.predictions.spool.segments import held

SERVICE_DIR = "NORIA_SERVICE_DIR"
SPOOL_DIR = "NORIA_SPOOL_DIR"
PREDICTIONS_URL = "NORIA_PREDICTIONS_URL"
SERVING = "NORIA_SERVING"
_CODE = Path(__file__).resolve().parents[2]
_NICENESS = 5
_LOCK_S = 1.0
_LOCK_POLL_S = 0.05
_AGAIN_S = 5.0
_started: dict[Path, tuple[subprocess.Popen[bytes] | None, float]] = {}
logger = logging.getLogger("noria.keeper")


def spool_folder() -> Path | None:
    """Where this service's answers wait: NORIA_SPOOL_DIR, or else `spool` in NORIA_SERVICE_DIR."""
    if named := os.environ.get(SPOOL_DIR):
        return Path(named)
    service = os.environ.get(SERVICE_DIR)
    return Path(service) / "spool" if service else None


def ensure_flusher(spool: Path) -> None:
    """Start the keeper of this spool if none is at work; cheap enough to be called several times a second.

    It inherits this process's environment and its log. Of several that are started at once, one stays.
    """
    child, at = _started.get(spool, (None, -_AGAIN_S))
    if child is not None and child.poll() is None:
        return
    if time.monotonic() - at < _AGAIN_S:  # one that dies at once must not keep a processor busy
        return
    try:
        if not flusher_runs(spool):
            _started[spool] = (_spawn(spool), time.monotonic())
    except OSError as error:
        _started[spool] = (None, time.monotonic())
        logger.error("the keeper cannot be started: %s", error)


def _spawn(spool: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "service.flusher.flusher_launcher"],
        cwd=_CODE,
        env=os.environ | {SPOOL_DIR: str(spool.resolve())},
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C ends the workers; the keeper sees that and ends after them
    )


def flusher_runs(spool: Path) -> bool:
    """Is a keeper at work on this spool?"""
    with held(spool / FLUSHER_LOCK) as free:
        return not free


def main() -> None:
    """Be the keeper, unless there is one."""
    logging.basicConfig(format="%(asctime)s %(levelname)s [keeper] %(message)s")
    logging.getLogger("noria").setLevel(logging.INFO)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    spool = spool_folder()
    if spool is None:
        sys.exit(f"no spool is named: set {SPOOL_DIR} or {SERVICE_DIR}")
    try:
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.ExitStack() as stack:
            if _elected(stack, spool):
                _work(spool, stop)
    except OSError as error:
        sys.exit(f"the spool cannot be written: {error}")


def _work(spool: Path, stop: threading.Event) -> None:
    from noria.system.errors import NoriaError
    from service.flusher.flusher_worker import (
        FlusherWorker,  # loads the database's libraries, which one that is not needed does not
    )

    os.nice(_NICENESS)
    try:
        FlusherWorker.of(spool, os.environ, stop).run()
    except NoriaError as error:
        logger.error("%s", error)
        sys.exit(2)


def _elected(stack: contextlib.ExitStack, spool: Path) -> bool:
    """Take the keeper's lock. A worker that only looks whether it is free holds it for a moment, so try again."""
    until = time.monotonic() + _LOCK_S
    while True:
        with contextlib.ExitStack() as attempt:
            if attempt.enter_context(held(spool / FLUSHER_LOCK)):
                stack.push(attempt.pop_all())
                return True
        if time.monotonic() > until:
            return False
        time.sleep(_LOCK_POLL_S)


if __name__ == "__main__":
    main()
