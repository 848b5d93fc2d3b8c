"""The real service in processes of its own, as `bentoml serve` runs it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from noria.bundle import Bundle
from noria.handover import Activation, activate
from noria.workspace import PROJECT

START_S = 120.0


@contextmanager
def serving(bundle: Bundle, folder: Path, **environment: str) -> Iterator[str]:
    """Serve a bundle with its spool and store in `folder`; gives the URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    activate(folder, Activation.of(bundle.folder, bundle.manifest.version))
    told = {
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "bentoml"),
        "NORIA_PREDICTIONS_URL": store_url(folder),
        "NORIA_SERVICE_DIR": str(folder),
    }
    command = [sys.executable, "-m", "bentoml", "serve", "service.service:Noria", "--host", "127.0.0.1"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=PROJECT, env=os.environ | told | environment, stdout=log, stderr=log
        )
    try:
        _wait(f"http://127.0.0.1:{port}/", process, folder / "server.log")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def store_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'predictions.db'}"


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(url + "readyz", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"the service does not answer:\n{log.read_text(errors='replace')[-3000:]}")
