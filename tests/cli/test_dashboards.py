"""Dashboards of several use cases: who started which, what their addresses open, and what `stop` stops."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.commands.status import status
from app.servers import dashboards
from app.servers.dashboards import Dashboard, running_dashboards, start_dashboards, stop_dashboards
from noria.config import UseCase
from noria.system import processes
from tests.small_cases import churn_table, small_case

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def home(pipeline_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORIA_HOME", str(pipeline_home))
    return pipeline_home


@pytest.fixture
def sleeping(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processes that stand for the servers, which take long to start; what is remembered of them is real."""
    started: list[subprocess.Popen[bytes]] = []

    def start(plan: dashboards._Plan) -> Dashboard:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        who = processes.identity(started[-1].pid)
        return Dashboard(plan.name, plan.url, who.pid, who.started)

    monkeypatch.setattr(dashboards, "_start", start)
    monkeypatch.setattr(dashboards, "_wait", lambda *_: None)
    yield
    for each in started:
        each.kill()
        each.wait()


def case(name: str, folder: Path) -> UseCase:
    churn_table(50).to_csv(folder / "few.csv", index=False)
    return small_case(name, folder / "few.csv")


def test_stop_leaves_what_another_use_case_has_asked_for(sleeping: None, tmp_path: Path) -> None:
    one, other = case("first_case", tmp_path), case("second_case", tmp_path)
    first, second = dict(start_dashboards(one)), dict(start_dashboards(other))
    assert first["ZenML"] == second["ZenML"]
    assert {first["Evidently"], second["Evidently"]} == {"http://127.0.0.1:8000/", "http://127.0.0.1:8001/"}
    assert dict(start_dashboards(other)) == second, "they are found again"
    assert status(other).fact("dashboard") in {f"{name} {url}" for name, url in second.items()}

    assert [each.url for each in stop_dashboards(one.name)] == [first["Evidently"]]
    assert {each.name for each in running_dashboards(other.name)} == {"ZenML", "MLflow", "Evidently"}
    assert stop_dashboards("third_case") == []
    assert {each.name for each in stop_dashboards(other.name)} == {"ZenML", "MLflow", "Evidently"}
    assert running_dashboards() == []
