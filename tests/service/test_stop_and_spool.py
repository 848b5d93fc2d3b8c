"""`stop` finishes what was begun and says what waits; a spool that disappears costs no answer that was given."""

import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from serving import Served, free_port, with_serving

from app.serving.backend import ServiceTarget
from app.serving.process import ProcessBackend
from app.stacks.definition import StepsConfig
from noria.bundle import Bundle
from noria.client import Client
from noria.config import UseCase
from noria.deployment import flush_rest, read_state, start_or_roll, stop, wait_until_stored
from noria.predictions import PredictionStore
from noria.predictions.spool.backlog import WaitingEvents, waiting_events
from noria.system.workspace import Workspace
from tests.spool.spooled import answered, eventually, labelled, writing

pytestmark = pytest.mark.e2e


@pytest.fixture
def started(
    use_case: UseCase, bento: Path, bundle: Bundle, home: None, request: pytest.FixtureRequest
) -> Iterator[Served]:
    """A service of its own."""
    name = f"stopped_{abs(hash(request.node.name))}"
    case = with_serving(use_case, port=free_port(), workers=1).model_copy(update={"name": name})
    workspace = Workspace(name)
    deployment = start_or_roll(case, workspace, bento, bundle)
    with Client(deployment.url) as client:
        yield Served(case, workspace, bento, bundle, deployment, client)
    stop(workspace)


def backend() -> ProcessBackend:
    return ProcessBackend(ServiceTarget("local", StepsConfig()))


def asked(served: Served, times: int) -> list[str]:
    """The ids of predictions, one request each."""
    row = served.bundle.examples()[:1]
    return [served.client.predict(row)[0].id for _ in range(times)]


def stored(workspace: Workspace) -> set[str]:
    store = PredictionStore(workspace.predictions_url)
    try:
        return set(store.window(datetime(2026, 1, 1, tzinfo=UTC))["prediction_id"])
    finally:
        store.close()


def test_a_request_that_was_begun_is_answered_and_stored(started: Served) -> None:
    body = json.dumps({"rows": started.bundle.examples()[:2]}).encode()
    lines = ["POST /predict HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Connection: close"]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    with socket.create_connection(("127.0.0.1", started.use_case.serving.port)) as slow:
        slow.sendall(head.encode() + body[:50])
        time.sleep(0.3)
        stopping = threading.Thread(target=backend().stop, args=(started.use_case, lambda _: True))
        stopping.start()
        time.sleep(1)
        slow.sendall(body[50:])
        with slow.makefile("rb") as answer:
            status, _, content = answer.read().partition(b"\r\n\r\n")
        stopping.join()
    assert status.startswith(b"HTTP/1.1 200")
    ids = {each["id"] for each in json.loads(content)["predictions"]}
    assert len(ids) == 2
    assert ids <= stored(started.workspace)


def test_stop_says_how_many_predictions_wait_and_the_next_command_moves_them(started: Served) -> None:
    assert eventually(lambda: stored(started.workspace) == set(), 1)
    database = started.workspace.folder / "predictions.db"
    kept = [
        path.rename(path.with_name(f"kept-{path.name}")) for path in started.workspace.folder.glob("predictions.db*")
    ]
    database.mkdir()
    ids = asked(started, 30)
    result = backend().stop(started.use_case, lambda _: True)
    assert read_state(started.workspace) is None
    assert "30 predictions" in str(result.fact("waiting"))
    assert any("run.py monitor" in command for command in result.next)
    database.rmdir()
    for path in kept:
        path.rename(path.with_name(path.name.removeprefix("kept-")))
    assert wait_until_stored(started.workspace)
    assert set(ids) <= stored(started.workspace)


def test_what_a_flusher_has_left_is_moved_by_stop(home: None) -> None:
    workspace = Workspace("left_by_a_flusher")
    with writing(workspace.spool) as writer:
        for number in range(5):
            writer.append(answered(f"left{number}", rows=2))
        writer.append(labelled("left0-0"))
    assert waiting_events(workspace.spool) == WaitingEvents(10, 1)
    assert not flush_rest(workspace, None)
    assert waiting_events(workspace.spool) == WaitingEvents(0, 0)


def test_answers_are_stored_although_the_spool_was_removed_meanwhile(started: Served) -> None:
    spool = started.deployment.settings.spool
    ids = asked(started, 50)
    shutil.rmtree(spool)
    ids += asked(started, 100)
    assert started.client.ready()
    assert eventually(lambda: set(ids) <= stored(started.workspace), 30), "the flusher does not find the new folder"
    shutil.rmtree(spool)
    ids += asked(started, 20)
    assert stop(started.workspace)
    assert set(ids) <= stored(started.workspace)


def test_where_no_spool_can_be_the_service_is_not_ready_and_answers_nothing(started: Served) -> None:
    spool, url = started.deployment.settings.spool, started.deployment.url
    ids = asked(started, 10)
    shutil.rmtree(spool)
    spool.write_text("a file")
    assert eventually(lambda: httpx.get(f"{url}/readyz").status_code == 503, 5)
    refused = httpx.post(f"{url}/predict", json={"rows": started.bundle.examples()[:1]})
    assert refused.status_code == 503
    spool.unlink()
    assert eventually(started.client.ready, 10)
    ids += asked(started, 10)
    assert stop(started.workspace)
    assert set(ids) <= stored(started.workspace)
