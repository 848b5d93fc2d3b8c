"""What to do next while a service runs: one answer for `train` and `status`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.commands.next_step import next_while_serving
from app.runs.training_record import TrainingInputs, TrainingRecord, last_training, record_champion, record_training
from noria.config import UseCase
from noria.deployment.deployment_state import Deployment
from noria.deployment.server_settings import ServerSettings
from noria.monitoring.results import PerformanceResult
from noria.monitoring.verdict import MonitoringVerdict
from noria.monitoring.verdict_history import append, history_file
from noria.system.workspace import Workspace
from tests.small_cases import small_case

STARTED = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseCase:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    return small_case("served_case", tmp_path / "few.csv")


@pytest.fixture
def server(case: UseCase, tmp_path: Path) -> Deployment:
    """Version 1, in service since the fifth of January."""
    return Deployment(
        use_case=case.name,
        version="1",
        bento=tmp_path,
        settings=ServerSettings.of(case, Workspace(case.name)),
        code="",
        pid=1,
        process_started=0.0,
        started_at=STARTED,
        log=tmp_path / "log",
        ready=True,
    )


def record(case: UseCase, version: str, promoted_at: datetime | None) -> None:
    inputs = TrainingInputs(data="", config="", code="", stack="local", store="")
    record_training(
        Workspace(case.name),
        TrainingRecord(
            inputs=inputs,
            version=version,
            kind="tree",
            promote="challenger",
            reason="It is better.",
            champion=version,
            promoted_at=promoted_at,
            at=STARTED,
            report="evaluation.html",
        ),
    )


def judge(case: UseCase, version: str, command: str) -> None:
    nothing = PerformanceResult(labels=0, unusable=0, waiting=0, overdue=0, metric=None, worth=None, target=None)
    verdict = MonitoringVerdict(
        use_case=case.name,
        version=version,
        at=STARTED,
        since=STARTED,
        verdict="retrain",
        confident=True,
        reasons=["It is worse."],
        next_action="Train.",
        next_command=command,
        drift=None,
        performance=nothing,
    )
    append(history_file(Workspace(case.name)), verdict)


def test_a_service_is_monitored_and_then_its_last_verdict_counts(case: UseCase, server: Deployment) -> None:
    assert next_while_serving(case, server) == "python run.py monitor"
    judge(case, "1", "python run.py cycle")
    assert next_while_serving(case, server) == "python run.py cycle"
    judge(case, "2", "python run.py dashboard")
    assert next_while_serving(case, server) == "python run.py monitor", "the verdict is on another version"


def test_a_new_champion_waits_to_be_deployed(case: UseCase, server: Deployment) -> None:
    judge(case, "1", "python run.py cycle")
    record(case, "2", STARTED + timedelta(hours=1))
    assert next_while_serving(case, server) == "python run.py deploy"
    deployed = server.model_copy(update={"version": "2", "rolled_at": STARTED + timedelta(hours=2)})
    assert next_while_serving(case, deployed) == "python run.py monitor"


def test_traffic_that_was_changed_after_the_training_is_as_it_was_wanted(case: UseCase, server: Deployment) -> None:
    record(case, "2", STARTED - timedelta(hours=1))
    assert next_while_serving(case, server) == "python run.py monitor"
    record_champion(Workspace(case.name), "1")
    kept = last_training(Workspace(case.name))
    assert kept is not None and (kept.version, kept.champion) == ("2", "1")


def test_a_record_that_cannot_be_read_only_costs_a_training(case: UseCase, server: Deployment) -> None:
    record(case, "2", None)
    (Workspace(case.name).folder / "last_training.json").write_text("{")
    assert last_training(Workspace(case.name)) is None
    record_champion(Workspace(case.name), "1")
    assert next_while_serving(case, server) == "python run.py monitor"
