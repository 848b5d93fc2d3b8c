"""Noria's real service, deployed as `run.py deploy` does it."""

import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from benchmarks.served.case import use_case
from benchmarks.served.family import TOKEN, Family
from benchmarks.served.place import Place, free_port
from benchmarks.served.running import START_WITHIN_S, Running, since_start, wait_for_answer
from benchmarks.served.servers import HOST, Server
from noria.deployment import start_or_roll, stop
from noria.predictions import PredictionStore
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from service.bento_build import build_bento

_HOME = "NORIA_HOME"
_POLL_S = 0.5


@contextmanager
def running_service(server: Server, place: Place, row: dict[str, Any]) -> Iterator[Running]:
    """The service with an empty prediction store, from its start to its end.

    Raises:
        RuntimeError: it does not start.
    """
    port, family = free_port(), Family(uuid.uuid4().hex)
    case = use_case(host=HOST, port=port, workers=1, start_timeout_s=START_WITHIN_S)
    os.environ[_HOME] = str(place.folder / f"noria-{family.token}")
    workspace = Workspace(case.name)
    try:
        bento = build_bento(place.bundle, workspace)
        with _token(family), ThreadPoolExecutor(1) as thread:
            started = thread.submit(start_or_roll, case, workspace, bento, place.bundle)
            wait_for_answer(port, server, row, lambda: not (started.done() and started.exception()))
            cold = since_start(family)
            started.result()
        yield Running(server, port, family, cold)
    except (NoriaError, TimeoutError) as error:
        raise RuntimeError(str(error)) from error
    finally:
        with suppress(NoriaError):
            stop(workspace)
        family.end()


def kept(expected: int, limit_s: float) -> tuple[int, float]:
    """How many answers the prediction store holds, and how long it took until it held `expected`, at most `limit_s`."""
    began = time.monotonic()
    while True:
        store = PredictionStore(Workspace(use_case().name).predictions_url)
        try:
            found = store.counts().predictions
        finally:
            store.close()
        waited = time.monotonic() - began
        if found >= expected or waited > limit_s:
            return found, waited
        time.sleep(_POLL_S)


@contextmanager
def _token(family: Family) -> Iterator[None]:
    os.environ[TOKEN] = family.token
    try:
        yield
    finally:
        del os.environ[TOKEN]
