"""`stop` ends the keeper last, and what was answered until then is in the store."""

import time
from pathlib import Path

import psutil
import pytest
from conftest import Service

from noria.client import Client
from noria.deployment import start_or_roll, state, stop
from noria.deployment.state import keepers
from noria.predictions import PredictionStore
from noria.processes import Identity, alive
from noria.workspace import Workspace
from tests.service.serving import free_port

pytestmark = pytest.mark.e2e


def test_what_was_answered_before_a_stop_is_in_the_store(service: Service) -> None:
    workspace = Workspace("stopped")
    serving = service.use_case.serving.model_copy(update={"port": free_port(), "workers": 1})
    started = start_or_roll(
        service.use_case.model_copy(update={"serving": serving}), workspace, service.bento, service.bundles["champion"]
    )
    try:
        keeper = wait_for_keeper(started.settings.spool)
        with Client(started.url) as client:
            answers = [
                answer for start in range(0, 900, 100) for answer in client.predict(service.rows[start : start + 100])
            ]
    finally:
        assert stop(workspace)
    assert [alive(who) for who in keeper] == [None]
    assert state(workspace) is None
    assert left(workspace.service) == []
    store = PredictionStore(workspace.predictions_url)
    found = store.window(started.started_at)
    store.close()
    assert sorted(found["prediction_id"]) == sorted(answer.id for answer in answers)


def wait_for_keeper(spool: Path) -> list[Identity]:
    until = time.monotonic() + 60
    while not (found := keepers(spool)):
        assert time.monotonic() < until, "the keeper does not run"
        time.sleep(0.1)
    return found


def left(folder: Path) -> list[int]:
    """Processes that were started for this service."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("NORIA_SERVICE_DIR") == str(folder):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
