"""The service in the process of the test, for what need not go over a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from noria.bundle import Bundle
from noria.traffic import activation

if TYPE_CHECKING:
    from starlette.testclient import TestClient


@contextmanager
def service_here(bundle: Bundle, folder: Path) -> "Iterator[TestClient]":
    """A client of the service with this bundle."""
    from starlette.testclient import TestClient

    from service.app import App
    from service.runtime import Runtime

    activation.write_plan(folder, activation.TrafficPlan.of(bundle.folder, "1"))
    runtime = Runtime()
    runtime.start()
    app = App(runtime)
    app.started()
    yield TestClient(app, base_url="http://127.0.0.1")
    runtime.stop()
