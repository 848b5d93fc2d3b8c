"""The real service in processes of its own, as `bentoml serve` runs it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from noria.bundle import Bundle
from noria.traffic.activation import TrafficPlan, write_plan
from tests.running import running
from tests.service.serving import free_port


@contextmanager
def serving(bundle: Bundle, folder: Path, **environment: str) -> Iterator[str]:
    """Serve a bundle with its spool and store in `folder`; gives the URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    write_plan(folder, TrafficPlan.of(bundle.folder, bundle.manifest.version))
    told = {
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "bentoml"),
        "NORIA_PREDICTIONS_URL": store_url(folder),
        "NORIA_SERVICE_DIR": str(folder),
    }
    command = [sys.executable, "-m", "bentoml", "serve", "service.service:Noria", "--port", str(port)]
    with running(
        [*command, "--host", "127.0.0.1"], os.environ | told | environment, folder / "server.log", ready=f"{url}readyz"
    ):
        yield url


def store_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'predictions.db'}"
