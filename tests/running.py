"""A server in a process of its own, as long as a test wants it."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from noria.system.workspace import PROJECT

_START_S, _END_S, _POLL_S = 120.0, 30.0, 0.2


@contextmanager
def running(
    command: Sequence[str | Path], environment: Mapping[str, str], log: Path, *, ready: str, cwd: Path = PROJECT
) -> Iterator[None]:
    """Start it, wait until the address `ready` answers with success, and end it with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=output)
    try:
        _wait(ready, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=5, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(_POLL_S)
    raise AssertionError(f"nobody answers at {url}:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
