"""Files of the workspace that a crash, a full disk or an editor has damaged."""

import json
from pathlib import Path

import pytest
from listening import listen

from app.commands.status import status
from app.servers.dashboards import running_dashboards, stop_dashboards
from noria.config import load_use_case
from noria.deployment import read_state, service_status
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace
from tests.errors_raised import raises

CHURN = Path("configs/telco_churn.yaml")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    return Workspace("telco_churn")


@pytest.fixture
def warnings() -> list[str]:
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text) if kind == "warn" else None)
    return heard


@pytest.mark.parametrize(
    "content", [b'[{"name": 5', b'{"a": 1}', b'[{"name": "x", "url": "y", "pid": "abc", "started": 1}]', b"\xff\xfe"]
)
def test_what_is_known_of_the_dashboards(workspace: Workspace, warnings: list[str], content: bytes) -> None:
    file = Workspace("dashboards").folder / "running.json"
    file.write_bytes(content)
    assert running_dashboards() == []
    assert "set aside" in warnings[0]
    assert file.with_name("running.json.bad").read_bytes() == content
    assert stop_dashboards("churn") == []


def test_the_history_of_verdicts_and_the_state_of_the_server(workspace: Workspace, warnings: list[str]) -> None:
    (workspace.monitoring / "history.jsonl").write_bytes(b'{"use_case": "tel\n\xff\xfe\x00')
    (workspace.service / "state.json").write_text(json.dumps({"pid": "none"}))
    told = status(load_use_case(CHURN))
    assert told.headline == "telco_churn is not deployed on this machine."
    assert ("verdict", "none yet") in told.facts
    assert any("history.jsonl" in text for text in warnings)
    assert any("state.json" in text for text in warnings)


def test_a_folder_in_the_place_of_the_state(workspace: Workspace) -> None:
    (workspace.service / "state.json").mkdir()
    with raises("deployment.state_unreadable"):
        read_state(workspace)


def test_predictions_are_never_thrown_away(workspace: Workspace) -> None:
    file = workspace.folder / "predictions.db"
    file.write_bytes(b"\x00garbage" * 1000)
    for look in (lambda: service_status(workspace), lambda: PredictionStore(workspace.predictions_url)):
        with raises("predictions.store_failed") as caught:
            look()
        assert "backup" in caught.value.fix
    assert file.read_bytes() == b"\x00garbage" * 1000
