"""A step that fails: the command line says why, an alert is left, and nothing is registered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from pipeline_runs import runs_of, statuses
from zenml.client import Client
from zenml.enums import ModelStages

from noria.config import UseCase
from noria.system.errors import NoriaError
from tests.small_cases import churn_table, small_case, write_config

pytestmark = pytest.mark.e2e

Command = Callable[..., Any]


@pytest.fixture
def train(command: Command, tmp_path: Path, trained: object) -> Callable[[UseCase], Any]:
    """`run.py train`, where another model has been trained before."""
    return lambda case: command("train", "--config", write_config(case, tmp_path / "case.yaml"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "few.csv"
    churn_table(400).to_csv(path, index=False)
    return path


def alerts(home: Path, use_case: UseCase) -> list[dict[str, str]]:
    lines = (home / "alerts" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    return [alert for alert in map(json.loads, lines) if f"-{use_case.name}-" in alert["run"]]


def assert_nothing_registered(use_case: UseCase, home: Path) -> None:
    with pytest.raises(KeyError):
        Client().get_model_version(use_case.name, ModelStages.PRODUCTION)
    store = mlflow.MlflowClient(f"sqlite:///{home / 'artifacts' / 'mlflow.db'}")
    assert store.search_registered_models(f"name = '{use_case.name}'") == []


def test_a_mendable_error_of_a_step_reaches_the_command_line(
    train: Callable[[UseCase], Any], data: Path, home: Path
) -> None:
    table = churn_table(400)
    table.loc[:39, "tenure"] = -1
    table.to_csv(data, index=False)
    case = small_case("too_many_bad_rows", data)
    ended = train(case)
    assert ended.code == 2
    assert "tenure" in ended.err
    assert "fix" in ended.err
    assert "Traceback" not in ended.out + ended.err
    (alert,) = alerts(home, case)
    assert (alert["pipeline"], alert["step"]) == ("training", "validate")
    assert "tenure" in alert["error"]
    assert alert["at"]
    run = runs_of(case)[0]
    assert run.status.value == "failed"
    assert statuses(run) == {"ingest": "completed", "validate": "failed"}
    assert_nothing_registered(case, home)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoriaError("the disk is full", code="test.example", where="somewhere", fix="free some space"), 2),
        (ZeroDivisionError("there are no rows"), 1),
    ],
    ids=["mendable", "unforeseen"],
)
def test_nothing_goes_on_after_a_step_that_no_other_needs(
    train: Callable[[UseCase], Any],
    data: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    error: Exception,
    code: int,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("noria.profiling.report.profile_table", fail)
    case = small_case(f"explore_fails_{code}", data)
    ended = train(case)
    assert ended.code == code
    assert error.args[0] in ended.err
    assert "Traceback" not in ended.out + ended.err
    assert set(statuses(runs_of(case)[0])) == {"ingest", "validate", "explore"}
    assert_nothing_registered(case, home)


def test_the_next_run_works(command: Command, data: Path, tmp_path: Path, trained: object) -> None:
    """A failure leaves no lock, no active MLflow run and no stack behind."""
    case = small_case("fails_then_works", data, data={"target": "chrn"})
    assert command("explore", "--config", write_config(case, tmp_path / "case.yaml")).code == 2
    mended = small_case("fails_then_works", data)
    ended = command("explore", "--config", write_config(mended, tmp_path / "case.yaml"))
    assert ended.code == 0
    assert "The data is explored." in ended.out
    assert mlflow.active_run() is None
