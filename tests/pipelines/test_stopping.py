"""Ctrl-C and `kill` in the middle of a command, and two commands at once: real processes, real signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from pipeline_runs import runs_of, statuses

from app.commands.train import train
from noria.config import UseCase
from noria.deployment import read_state
from noria.system.workspace import PROJECT, Workspace
from tests.service.serving import free_port, processes_of
from tests.small_cases import churn_table, small_case, write_config
from tests.spool.spooled import eventually

pytestmark = pytest.mark.e2e

_PATIENCE_S = 120.0
ENDLESS = {"trials": 100_000, "candidates": {"xgboost": {"params": {"n_estimators": 5}}}}


class Started:
    """A command in a process of its own, with its own folder for temporary files."""

    def __init__(self, folder: Path, name: str, *arguments: object) -> None:
        self.errors, self.output = folder / f"{name}.err", folder / f"{name}.out"
        self.temporary = folder / f"{name}.tmp"
        self.temporary.mkdir()
        command = [sys.executable, str(PROJECT / "run.py"), *map(str, arguments)]
        with self.errors.open("wb") as err, self.output.open("wb") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=err, cwd=PROJECT, env=os.environ | {"TMPDIR": str(self.temporary)}
            )

    @property
    def said(self) -> str:
        return self.errors.read_text(encoding="utf-8") + self.output.read_text(encoding="utf-8")

    def wait_for(self, true: Callable[[], object], what: str) -> None:
        until = time.monotonic() + _PATIENCE_S
        while not true():
            assert self.process.poll() is None, f"ended before {what}:\n{self.said}"
            assert time.monotonic() < until, f"never {what}:\n{self.said}"
            time.sleep(0.05)

    def end(self, signum: int | None = None) -> int:
        if signum is not None:
            self.process.send_signal(signum)
        return self.process.wait(_PATIENCE_S)

    def assert_stopped_tidily(self) -> None:
        assert "Stopped." in self.said
        assert "Traceback" not in self.said
        assert "rror" not in self.said
        assert list(self.temporary.glob("noria-*")) == []


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "few.csv"
    churn_table(400).to_csv(path, index=False)
    return path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    started: list[Started] = []

    def begin(name: str, *arguments: object) -> Started:
        started.append(Started(tmp_path, name, *arguments))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


def assert_nothing_half_written(home: Path, use_case: UseCase) -> None:
    assert [path for path in home.rglob("*.part") if path.is_file()] == []
    left = {path.name for path in (home / use_case.name).iterdir() if path.is_file()}
    assert left == {"train.lock"}
    (run,) = runs_of(use_case)
    assert run.status.value in {"failed", "stopped"}
    assert set(statuses(run).values()) <= {"completed", "failed", "stopped", "cached"}
    store = mlflow.MlflowClient(f"sqlite:///{home / 'artifacts' / 'mlflow.db'}")
    experiment = store.get_experiment_by_name(use_case.name)  # none, where no step has begun
    assert experiment is None or store.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'") == []
    alerts = home / "alerts" / "alerts.jsonl"
    assert not alerts.exists() or f"-{use_case.name}-" not in alerts.read_text(encoding="utf-8")


def test_training_is_stopped_in_the_middle_and_starts_again(
    start: Callable[..., Started], data: Path, tmp_path: Path, home: Path, trained: object
) -> None:
    endless = small_case("endless", data, models=ENDLESS)
    config = write_config(endless, tmp_path / "endless.yaml")
    first = start("first", "train", "--config", config)

    # two at once
    first.wait_for((home / "endless" / "train.pid").is_file, "held the lock")
    refused = start("refused", "train", "--config", config)
    assert refused.end() == 2
    assert f"another `train` of endless is running (process {first.process.pid})" in refused.said
    assert "Traceback" not in refused.said

    # in the middle of tuning
    first.wait_for(lambda: " of 100000" in first.said, "tuned")
    assert first.end(signal.SIGINT) == 130
    first.assert_stopped_tidily()
    assert_nothing_half_written(home, endless)
    assert statuses(runs_of(endless)[0])["tune"] in {"failed", "stopped"}

    # and again
    again = train(small_case("endless", data), None)
    assert Path(str(again.fact("model report"))).is_file()
    assert runs_of(endless)[0].status.value == "completed"


def test_a_command_is_stopped_before_it_has_begun(
    start: Callable[..., Started], data: Path, tmp_path: Path, home: Path, trained: object
) -> None:
    case = small_case("hardly_begun", data)
    command = start("early", "train", "--config", write_config(case, tmp_path / "case.yaml"))
    command.wait_for(lambda: "Training: hardly_begun" in command.said, "said what it does")
    assert command.end(signal.SIGTERM) == 143
    command.assert_stopped_tidily()
    assert all(run.status.is_finished for run in runs_of(case))
    assert not (home / case.name / "train.pid").exists()


def test_deployment_is_stopped_in_the_middle(
    start: Callable[..., Started], use_case: UseCase, tmp_path: Path, trained: object
) -> None:
    case = small_case(
        use_case.name, Path(use_case.data.sources[0].path or ""), serving={"port": free_port(), "workers": 2}
    )
    command = start("deploy", "deploy", "--config", write_config(case, tmp_path / "case.yaml"))
    workspace = Workspace(case.name)
    command.wait_for((workspace.service / "state.json").is_file, "started the server")
    assert command.end(signal.SIGTERM) == 143
    command.assert_stopped_tidily()
    assert read_state(workspace) is None
    assert eventually(lambda: processes_of(workspace) == [])
    (run,) = runs_of(case, "deployment")
    assert run.status.value in {"failed", "stopped"}
