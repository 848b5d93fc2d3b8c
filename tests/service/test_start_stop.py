"""Starting and stopping: nothing is left behind, and what goes wrong is said."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from serving import free_port, processes_of, with_serving

from noria.bundle import Bundle
from noria.client import Client
from noria.config import UseCase
from noria.deployment import Deployment, ServerSettings, read_state, start_or_roll, stop
from noria.deployment.deployment_state import save_state
from noria.system.processes import alive, namespace
from noria.system.workspace import PROJECT, Workspace
from noria.traffic import activation
from tests.errors_raised import raises
from tests.spool.spooled import eventually

pytestmark = pytest.mark.e2e
_PATIENCE_S = 60.0


@pytest.fixture
def workspace(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    made = Workspace(f"own_{abs(hash(request.node.name))}")
    yield made
    assert not stop(made), "the test left a server behind"


@pytest.fixture
def alone(use_case: UseCase) -> UseCase:
    return with_serving(use_case, port=free_port(), workers=1)


def assert_nothing_is_left(workspace: Workspace) -> None:
    assert read_state(workspace) is None
    assert not (workspace.service / "state.json").exists()
    assert eventually(lambda: processes_of(workspace) == []), "a process is left"


def a_deployment(workspace: Workspace, use_case: UseCase, bento: Path, pid: int, started: float) -> Deployment:
    return Deployment(
        use_case=use_case.name,
        version="1",
        bento=bento,
        settings=ServerSettings.of(use_case, workspace),
        code="",
        pid=pid,
        process_started=started,
        started_at="2026-01-01T00:00:00Z",  # type: ignore[arg-type]
        log=workspace.service / "server.log",
        ready=True,
    )


def test_restart_for_new_settings_then_a_killed_server_leaves_no_worker(
    workspace: Workspace, alone: UseCase, bento: Path, bundle: Bundle
) -> None:
    first = start_or_roll(alone, workspace, bento, bundle)
    changed = with_serving(alone, max_rows=2)
    second = start_or_roll(changed, workspace, bento, bundle)
    assert alive(first.process) is None
    with Client(second.url) as client, raises("request.too_large", "at most 2"):
        client.predict(bundle.examples()[:3])
    assert len(processes_of(workspace)) >= 2
    os.kill(second.pid, signal.SIGKILL)
    assert eventually(lambda: processes_of(workspace) == []), "the worker outlived its server"
    assert_nothing_is_left(workspace)


def test_a_server_that_cannot_be_seen_from_a_container_is_left_alone(
    workspace: Workspace, alone: UseCase, bento: Path
) -> None:
    """A step in a container sees other processes, or none, under the same numbers."""
    unseen = a_deployment(workspace, alone, bento, 2**22 - 1, 0.0).model_copy(update={"namespace": "pid:[1]"})
    save_state(workspace, unseen)
    assert read_state(workspace) == unseen
    save_state(workspace, unseen.model_copy(update={"namespace": namespace()}))
    assert read_state(workspace) is None
    assert_nothing_is_left(workspace)


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_and_a_killed_start(
    workspace: Workspace, alone: UseCase, bento: Path, bundle: Bundle, *, with_signal: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "use_case.json").write_text(alone.model_dump_json(exclude_unset=True))
    script = (
        "import signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background\n"
        "from noria.bundle import Bundle\n"
        "from noria.config import UseCase\n"
        "from noria.deployment import start_or_roll\n"
        "from noria.system.workspace import Workspace\n"
        "use_case = UseCase.model_validate_json(Path(sys.argv[1]).read_bytes())\n"
        "start_or_roll(use_case, Workspace(sys.argv[4]), Path(sys.argv[2]), Bundle.load(Path(sys.argv[3])))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "use_case.json"), str(bento)]
    starter = subprocess.Popen(
        [*command, str(bundle.folder), workspace.use_case], cwd=PROJECT, stderr=subprocess.PIPE, text=True
    )
    assert eventually((workspace.service / "state.json").exists), "the server was not started"
    starter.send_signal(with_signal)
    starter.communicate(timeout=_PATIENCE_S)
    assert starter.returncode != 0
    if with_signal == signal.SIGKILL:  # nobody could tidy up, but `stop` still can
        unfinished = read_state(workspace)
        assert unfinished is not None
        assert not unfinished.ready
        assert stop(workspace)
    assert_nothing_is_left(workspace)


def test_a_taken_port_names_who_has_it(workspace: Workspace, alone: UseCase, bento: Path, bundle: Bundle) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", alone.serving.port))
        other.listen()
        with raises("deployment.port_taken", alone.serving.port, os.getpid()):
            start_or_roll(alone, workspace, bento, bundle)
    assert_nothing_is_left(workspace)


def test_a_worker_that_cannot_start_says_why(workspace: Workspace, alone: UseCase, bento: Path, bundle: Bundle) -> None:
    (workspace.folder / "predictions.db").mkdir()
    with raises("predictions.store_failed", "unable to open database file"):
        start_or_roll(alone, workspace, bento, bundle)
    assert_nothing_is_left(workspace)


def test_a_server_that_dies_shows_its_last_words(
    workspace: Workspace, alone: UseCase, bento: Path, bundle: Bundle, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(bento, broken)
    (broken / "src" / "service" / "service.py").write_text("raise RuntimeError('the cellar is flooded')\n")
    with raises("deployment.server_died", "the cellar is flooded") as caught:
        start_or_roll(alone, workspace, broken, bundle)
    assert caught.value.where == str(workspace.service / "server.log")
    assert_nothing_is_left(workspace)


def test_a_pid_that_belongs_to_another_process_now_is_not_our_server(
    workspace: Workspace, alone: UseCase, bento: Path
) -> None:
    stale = a_deployment(workspace, alone, bento, os.getpid(), psutil.Process().create_time() - 500)
    (workspace.service / "state.json").write_text(stale.model_dump_json())
    mine = activation.WorkerReport(pid=os.getpid(), process_started=1.0, plan_id="", version="1")
    activation.write_worker_report(workspace.service, mine)
    assert not stop(workspace)
    assert_nothing_is_left(workspace)
    assert activation.worker_reports(workspace.service) == []


def test_a_damaged_state_file_is_set_aside(workspace: Workspace) -> None:
    (workspace.service / "state.json").write_text("{half")
    assert read_state(workspace) is None
    assert (workspace.service / "state.json.bad").read_text() == "{half"


def test_a_workspace_that_cannot_be_written(
    alone: UseCase, bento: Path, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_text("a file, not a folder")
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    with raises("workspace.unwritable"):
        start_or_roll(alone, Workspace("any"), bento, bundle)


def test_a_host_that_does_not_exist(workspace: Workspace, alone: UseCase, bento: Path, bundle: Bundle) -> None:
    with raises("deployment.host_unknown", "serving.host"):
        start_or_roll(with_serving(alone, host="no.such.host.invalid"), workspace, bento, bundle)


def test_a_server_whose_state_was_damaged_is_found_by_its_workers(
    workspace: Workspace, alone: UseCase, bento: Path, bundle: Bundle
) -> None:
    first = start_or_roll(alone, workspace, bento, bundle)
    (workspace.service / "state.json").write_text("{")
    assert read_state(workspace) is None
    with Client(first.url) as client:
        assert client.ready(), "looking must not stop it"
    second = start_or_roll(alone, workspace, bento, bundle)
    assert alive(first.process) is None
    assert alive(second.process) is not None
    (workspace.service / "state.json").write_text("{")
    assert stop(workspace)
    assert_nothing_is_left(workspace)
