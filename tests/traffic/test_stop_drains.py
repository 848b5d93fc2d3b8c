"""`stop` ends the flusher last, and what was answered until then is in the store."""

import pytest

from noria.client import Client
from noria.deployment import read_state, start_or_roll, stop
from noria.deployment.deployment_state import flusher_processes
from noria.predictions import PredictionStore
from noria.system.processes import alive
from noria.system.workspace import Workspace
from tests.service.serving import free_port, processes_of
from tests.spool.spooled import eventually
from tests.traffic.conftest import Service

pytestmark = pytest.mark.e2e


def test_what_was_answered_before_a_stop_is_in_the_store(service: Service) -> None:
    workspace = Workspace("stopped")
    serving = service.use_case.serving.model_copy(update={"port": free_port(), "workers": 1})
    started = start_or_roll(
        service.use_case.model_copy(update={"serving": serving}), workspace, service.bento, service.bundles["champion"]
    )
    try:
        assert eventually(lambda: bool(flusher_processes(started.settings.spool))), "the flusher does not run"
        flusher = flusher_processes(started.settings.spool)
        with Client(started.url) as client:
            answers = [
                answer for start in range(0, 900, 100) for answer in client.predict(service.rows[start : start + 100])
            ]
    finally:
        assert stop(workspace)
    assert [alive(process_identity) for process_identity in flusher] == [None]
    assert read_state(workspace) is None
    assert eventually(lambda: processes_of(workspace) == [])
    store = PredictionStore(workspace.predictions_url)
    found = store.window(started.started_at)
    store.close()
    assert sorted(found["prediction_id"]) == sorted(answer.id for answer in answers)
