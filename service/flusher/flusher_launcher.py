"""The flusher process, which moves the workers' events to the prediction store.

There is one per spool, however many are started; any worker starts it when it is missing. It ends when no worker is
alive and the spool is empty or the store fails: the rest waits for the next start. On SIGTERM it flushes and ends.

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
from noria.predictions.spool.segments import hold_lock
from service.variables import SERVICE_DIR, SPOOL_DIR

_CODE = Path(__file__).resolve().parents[2]
_NICENESS = 5
_LOCK_TIMEOUT_S = 1.0
_LOCK_POLL_S = 0.05
_RESTART_S = 5.0
_started: dict[Path, tuple[subprocess.Popen[bytes] | None, float]] = {}
logger = logging.getLogger("noria.flusher")


def spool_folder() -> Path | None:
    """The spool of this service: NORIA_SPOOL_DIR, or else `spool` in NORIA_SERVICE_DIR."""
    if named := os.environ.get(SPOOL_DIR):
        return Path(named)
    service = os.environ.get(SERVICE_DIR)
    return Path(service) / "spool" if service else None


def ensure_flusher(spool: Path) -> None:
    """Start the flusher of this spool unless one is running; cheap enough to be called several times a second.

    It inherits this process's environment and log. Of several that are started at once, one remains.
    """
    child, at = _started.get(spool, (None, -_RESTART_S))
    if child is not None and child.poll() is None:
        return
    if time.monotonic() - at < _RESTART_S:  # one that fails at once must not be restarted in a loop
        return
    try:
        if not flusher_runs(spool):
            _started[spool] = (_spawn(spool), time.monotonic())
    except OSError as error:
        _started[spool] = (None, time.monotonic())
        logger.error("the flusher cannot be started: %s", error)


def _spawn(spool: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "service.flusher.flusher_launcher"],
        cwd=_CODE,
        env=os.environ | {SPOOL_DIR: str(spool.resolve())},
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C ends the workers; the flusher ends after them
    )


def flusher_runs(spool: Path) -> bool:
    """Whether a flusher of this spool is running."""
    with hold_lock(spool / FLUSHER_LOCK) as is_free:
        return not is_free


def main() -> None:
    """Run the flusher, unless one is running."""
    logging.basicConfig(format="%(asctime)s %(levelname)s [flusher] %(message)s")
    logging.getLogger("noria").setLevel(logging.INFO)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    spool = spool_folder()
    if spool is None:
        sys.exit(f"no spool is configured: set {SPOOL_DIR} or {SERVICE_DIR}")
    try:
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.ExitStack() as stack:
            if _acquire_lock(stack, spool):
                _run(spool, stop)
    except OSError as error:
        sys.exit(f"the spool cannot be written: {error}")


def _run(spool: Path, stop: threading.Event) -> None:
    from noria.system.errors import NoriaError
    from service.flusher.flusher_worker import FlusherWorker  # imports the database's libraries

    os.nice(_NICENESS)
    try:
        FlusherWorker.of(spool, os.environ, stop).run()
    except NoriaError as error:
        logger.error("%s", error)
        sys.exit(2)


def _acquire_lock(stack: contextlib.ExitStack, spool: Path) -> bool:
    """Acquire the flusher's lock. A worker that checks whether it is free holds it briefly, so try several times."""
    until = time.monotonic() + _LOCK_TIMEOUT_S
    while True:
        with contextlib.ExitStack() as attempt:
            if attempt.enter_context(hold_lock(spool / FLUSHER_LOCK)):
                stack.push(attempt.pop_all())
                return True
        if time.monotonic() > until:
            return False
        time.sleep(_LOCK_POLL_S)


if __name__ == "__main__":
    main()
