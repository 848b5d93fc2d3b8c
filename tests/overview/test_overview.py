"""`dashboard`: one page of all use cases, in any state of the workspace."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from app.commands import dashboard as module
from app.commands.dashboard import dashboard
from app.servers import dashboards
from noria.config import UseCase, load_use_case
from noria.deployment.deployment_state import Deployment, save_state
from noria.deployment.server_settings import ServerSettings
from noria.loop import Journal, journal_file
from noria.monitoring.results import DailyWorth, DayWorth, PerformanceResult
from noria.monitoring.verdict import MonitoringVerdict
from noria.monitoring.verdict_history import append, history_file
from noria.overview import use_cases_in
from noria.system import processes
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT, Workspace
from noria.traffic.activation import TrafficPlan, write_plan

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def churn() -> UseCase:
    return load_use_case(PROJECT / "configs" / "telco_churn.yaml")


def judge(name: str, level: str = "ok", **keys: Any) -> MonitoringVerdict:
    """A verdict in the history of a use case."""
    worth = DailyWorth(
        unit="EUR",
        days=[
            DayWorth(day=f"2026-04-{day:02}", rows=100, complete=True, model=10.0 * day, rules=50.0, nothing=-20.0)
            for day in (10, 11, 12)
        ],
    )
    given: dict[str, Any] = {
        "use_case": name,
        "version": "7",
        "at": NOW,
        "since": NOW - timedelta(days=30),
        "verdict": level,
        "confident": True,
        "reasons": ["It is as it is."],
        "next_action": "Look.",
        "next_command": "python run.py cycle",
        "drift": None,
        "performance": PerformanceResult(
            labels=500, unusable=0, waiting=0, overdue=0, metric=None, worth=None, target=None
        ),
        "daily_worth": worth,
    }
    verdict = MonitoringVerdict(**(given | keys))
    append(history_file(Workspace(name)), verdict)
    return verdict


def trained(name: str) -> None:
    text = (
        '{"inputs": {}, "version": "7", "kind": "tree", "promote": "challenger", "reason": "", "champion": "7",'
        '"promoted_at": "2026-04-09T08:30:00Z", "at": "2026-04-09T08:30:00Z", "report": ""}'
    )
    (Workspace(name).folder / "last_training.json").write_text(text)


def page_of(use_case: UseCase) -> str:
    place = str(dashboard(use_case, servers=False).fact("page"))
    return Path(unquote(place.removeprefix("file://"))).read_text(encoding="utf-8")


def row_of(page: str, name: str) -> str:
    rows = re.findall(r"<tr>\s*<td>.*?</tr>", page, re.DOTALL)
    return next(row for row in rows if f"<strong>{name}</strong>" in row)


def test_before_anything_was_trained_the_page_says_how_to_begin(churn: UseCase) -> None:
    row = row_of(page_of(churn), "telco_churn")
    assert row.count("none yet") == 2
    assert "python run.py train --config" in row


def test_a_row_has_champion_verdict_worth_action_next_look_and_links(churn: UseCase, home: Path) -> None:
    workspace = Workspace("telco_churn")
    trained("telco_churn")
    drift = workspace.monitoring / "2026-05-01_120000" / "drift of it.html"
    drift.parent.mkdir()
    for file in (drift, workspace.monitoring / "monitoring.html", workspace.reports / "evaluation.html"):
        file.write_text("<p>")
    judge("telco_churn", "retrain", reports={"summary": "gone.html", "drift": str(drift), "performance": "/no/file"})
    journal = Journal(journal_file(workspace), lambda: NOW)
    journal.append("look", outcome="retrain", facts={"next": "2026-05-01 13:00 UTC"})
    journal.append("decision", name="retrain", outcome="do", why=["It pays."])
    journal.append("action_begun", name="retrain", action="1", version="")
    journal.append("action_ended", name="retrain", action="1", version="8", outcome="lost", why=["No better."])

    row = row_of(page_of(churn), "telco_churn")

    assert "version 7, a small decision tree" in row and "since 09 Apr 2026, 08:30 UTC" in row
    assert "Should be trained again" in row and "01 May 2026, 12:00 UTC" in row
    assert "110 EUR per day" in row and "rules 50" in row and "doing nothing -20" in row
    assert "<polyline" in row
    assert "The retraining found nothing better, the champion stays (version 8)" in row
    links = dict(re.findall(r'<a href="([^"]+)">([^<]+)</a>', row))
    assert set(links.values()) == {"monitoring", "Evidently: drift", "evaluation report"}
    assert all((home / unquote(href)).is_file() for href in links)


def test_a_service_that_runs_is_linked_and_one_that_died_is_not(churn: UseCase) -> None:
    workspace = Workspace("telco_churn")
    here = processes.identity(os.getpid())
    settings = ServerSettings.of(churn, workspace)
    server = Deployment(
        use_case="telco_churn",
        version="9",
        bento=workspace.folder,
        settings=settings,
        code="",
        pid=here.pid,
        process_started=here.started,
        started_at=NOW,
        log=workspace.folder / "server.log",
    )
    save_state(workspace, server)
    write_plan(workspace.service, TrafficPlan.of(workspace.folder, "9"))
    row = row_of(page_of(churn), "telco_churn")
    assert f'href="{server.url}"' in row and "version 9" in row

    save_state(workspace, server.model_copy(update={"process_started": here.started - 1e6}))
    assert server.url not in page_of(churn)
    assert (workspace.service / "state.json").exists(), "the page changes nothing"


DAMAGED = [
    "last_training.json",
    "loop/journal.jsonl",
    "monitoring/history.jsonl",
    "service/state.json",
]


@pytest.mark.parametrize("content", [b'{"version": \n{"x": 1}\n', b"\xff\xfe\x00\n\n\xff\n", b"[]\n[]\n"])
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_a_note_in_its_row(churn: UseCase, name: str, content: bytes) -> None:
    judge("bike_demand")
    file = Workspace("telco_churn").folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)

    page = page_of(churn)

    assert 'class="small note"' in row_of(page, "telco_churn")
    assert 'class="small note"' not in row_of(page, "bike_demand")
    assert "1 needs attention" in page
    assert file.read_bytes() == content


@pytest.mark.parametrize("name", DAMAGED)
def test_a_folder_in_the_place_of_a_file_is_a_note_in_its_row(churn: UseCase, name: str) -> None:
    (Workspace("telco_churn").folder / name).mkdir(parents=True)
    assert 'class="small note"' in row_of(page_of(churn), "telco_churn")


def test_text_is_escaped_and_only_web_addresses_are_linked(churn: UseCase, monkeypatch: pytest.MonkeyPatch) -> None:
    judge("telco_churn", "watch", reasons=["<script>alert(1)</script>"], version='"><img src=x>')
    Journal(journal_file(Workspace("telco_churn")), lambda: NOW).append("look_failed", why=["<b>"], name="<i>")
    odd = dashboards.Dashboard("<u>ZenML", "javascript:alert(2)", 1, 0.0, {"telco_churn": "javascript:alert(3)"})
    monkeypatch.setattr(module, "running_dashboards", lambda *_: [odd])
    page = page_of(churn)
    assert not re.search(r"<(script|img|b|i|u)\b", page)
    assert not re.search(r'href="javascript', page)
    assert "&lt;script&gt;" in page


def test_those_that_need_attention_come_first(churn: UseCase) -> None:
    for name, level in (("a_case", "ok"), ("b_case", "watch"), ("c_case", "fix_data"), ("d_case", "retrain")):
        judge(name, level)
    page = page_of(churn)
    assert re.findall(r"<strong>(\w+)</strong>", page) == ["c_case", "d_case", "b_case", "a_case", "telco_churn"]
    assert "5 use cases, 3 need attention" in page


def test_a_verdict_on_too_few_rows_is_no_all_clear(churn: UseCase) -> None:
    judge("telco_churn", "ok", confident=False)
    row = row_of(page_of(churn), "telco_churn")
    assert "Too early to tell" in row and "All is well" not in row


def test_only_folders_of_use_cases_are_listed(home: Path) -> None:
    judge("telco_churn")
    for name in ("zenml", "artifacts", "dashboards", "replays", ".hidden", "Not One"):
        (home / name / "some").mkdir(parents=True)
    (home / "a_file").write_text("")
    assert use_cases_in(home) == ["telco_churn"]
    assert use_cases_in(home / "nowhere") == []


def test_the_page_is_there_though_a_server_does_not_start(
    churn: UseCase, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: UseCase) -> None:
        raise NoriaError("the port is taken", code="platform.port_taken")

    monkeypatch.setattr(module, "start_dashboards", refuse)
    with pytest.raises(NoriaError, match="taken"):
        dashboard(churn)
    assert "telco_churn" in (home / "dashboard.html").read_text()


def test_the_page_loads_nothing_and_links_to_dashboards_that_run(
    churn: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = [
        dashboards.Dashboard("ZenML", "http://127.0.0.1:8237/", 1, 0.0, {"telco_churn": "http://127.0.0.1:8237/"}),
        dashboards.Dashboard("Evidently", "http://127.0.0.1:8001/", 1, 0.0, {"telco_churn": "http://127.0.0.1:8001/"}),
    ]
    monkeypatch.setattr(module, "running_dashboards", lambda *_: running)
    judge("telco_churn")
    judge("bike_demand")
    page = page_of(churn)
    assert not re.search(r"<(script|link|img|iframe)\b|url\(|@import", page)
    assert "http://127.0.0.1:8001/" in row_of(page, "telco_churn")
    assert "http://127.0.0.1:8001/" not in row_of(page, "bike_demand")
    assert page.count('href="http://127.0.0.1:8237/"') == 2  # in the row, and for all use cases
