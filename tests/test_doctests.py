"""The usage examples in docstrings run as they are written."""

import doctest
import importlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import uvicorn

import noria.bundle.bundle
import noria.client
import noria.config.use_case
import noria.predictions.store
from noria.bundle import Bundle
from noria.system.workspace import PROJECT
from tests import bundles
from tests.service.asked import asked
from tests.service.serving import free_port


def run(module: ModuleType, **names: Any) -> None:
    failed, attempted = doctest.testmod(module, extraglobs=names)
    assert (failed, attempted > 0) == (0, True)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundles.make(bundles.churn(), "linear", tmp_path_factory.mktemp("doctests") / "bundle")


@pytest.mark.parametrize("module", ["", ".blocks", ".comparison", ".multiple_tests"])
def test_sequential_tests(module: str) -> None:
    run(importlib.import_module(f"noria.metrics.sequential{module}"))


def test_look_level() -> None:
    run(importlib.import_module("noria.monitoring.look_level"))


def test_use_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    run(noria.config.use_case, Path=Path)


def test_bundle(bundle: Bundle) -> None:
    run(noria.bundle.bundle, folder=bundle.folder, pd=pd)


def test_prediction_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(noria.predictions.store)


def test_client(bundle: Bundle, tmp_path: Path) -> None:
    with asked(bundle, tmp_path) as service, listening(service.app) as url:
        run(noria.client, url=url, row=bundle.examples()[0])


@contextmanager
def listening(app: Callable[..., Any]) -> Iterator[str]:
    """The application behind a port of this machine."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
