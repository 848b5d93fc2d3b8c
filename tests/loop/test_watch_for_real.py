"""The world turns upside down, and the loop brings a better model into service by itself.

The disk is full during its first training, and it is killed twice after that.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.client import Client
from noria.config import UseCase
from noria.deployment import current_plan, read_state, running_server
from noria.loop import Journal, LoopState, journal_file
from noria.system.workspace import PROJECT, Workspace
from tests.service.serving import free_port
from tests.small_cases import churn_table, small_case, write_config

pytestmark = pytest.mark.e2e
ASKED = 300
CUSTOMERS = 1200
"""In the first table; as many others come later."""
BY_ITSELF = dict.fromkeys(("shadow", "canary", "promote"), "do")
LOOP = {"actions": BY_ITSELF, "route": {"shadow_hours": 1e-9}, "every": "1s", "cooldown_days": 0}
_JUDGED_S = 30.0
CANARY = {"steps": [0.5], "step_minutes": 0.001, "min_requests": 1, "max_latency_ratio": 1000}
_HARMED = """
import os, resource, signal, sys
from cli.main import main
from noria.loop.journal import Journal

append, harm, kind, name = Journal.append, *(sys.argv.pop(1) for _ in range(3))

def harmful(journal, entry, **fields):
    if (entry, fields.get("name")) == (kind, name):
        if harm == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    return append(journal, entry, **fields)

Journal.append = harmful
main()
"""
"""Runs a command that is killed, or finds the disk full, when it is about to write a certain line of the journal."""


class Machine:
    """Commands on one use case in a workspace of its own."""

    def __init__(self, folder: Path, use_case: UseCase) -> None:
        self.config = write_config(use_case, folder / "case.yaml")
        self.environment = {**os.environ, "NORIA_HOME": str(folder / "home"), "PYTHONPATH": str(PROJECT)}
        for name in ("ZENML_CONFIG_PATH", "NORIA_PREDICTIONS_URL"):
            self.environment.pop(name, None)

    def run(self, *arguments: str, harm: tuple[str, str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        program = ["run.py"] if harm is None else ["-c", _HARMED, *harm]
        command = [sys.executable, *program, *arguments, "--config", str(self.config)]
        return subprocess.run(command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False)

    def done(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr


def upside_down(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(churn=np.where(table["churn"] == "Yes", "No", "Yes"))


def ask(workspace: Workspace, rows: pd.DataFrame) -> None:
    """Ask for these rows, and hand in their labels."""
    server = read_state(workspace)
    inputs = rows.drop(columns="churn").astype(object).where(rows.drop(columns="churn").notna(), None)
    with Client(server.url) as client:
        for start in range(0, len(rows), 100):
            answers = client.predict(inputs.iloc[start : start + 100].to_dict("records"))
            truth = rows["churn"].iloc[start : start + 100]
            client.feedback([{"id": each.id, "label": label} for each, label in zip(answers, truth, strict=True)])


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    churn_table().iloc[:CUSTOMERS].to_csv(tmp_path / "churn.csv", index=False)
    case = small_case(
        "looped_case",
        tmp_path / "churn.csv",
        loop=LOOP,
        serving={"port": free_port(), "canary": CANARY},
        problem={"label_delay_days": 0},
        models={"candidates": {"dummy": {}, "linear": {"tune": False}}, "trials": 0},
        evaluation={"bootstrap": 100},
        # weak rules: with so few rows a model beats good ones by chance only
        rules={"conditions": [{"when": "monthly_charges > 110", "then": "Yes"}]},
    )
    return Machine(tmp_path, case)


def test_a_better_model_comes_into_service_though_the_loop_is_killed(machine: Machine, tmp_path: Path) -> None:
    workspace = Workspace("looped_case")
    early = machine.run("watch", "--once")
    assert early.returncode == 2 and "loop.nothing_deployed" in early.stderr
    machine.done("train")
    machine.done("deploy")
    try:
        table = upside_down(churn_table().iloc[CUSTOMERS : 2 * CUSTOMERS])
        table.to_csv(tmp_path / "churn.csv", index=False)
        ask(workspace, table.sample(ASKED, random_state=1))
        full = machine.run("watch", "--once", harm=("full", "step_begun", "train"))
        assert full.returncode in (0, 2) and "Traceback" not in full.stderr, full.stderr
        assert read_state(workspace).version == "1", "the champion stays"
        trained = machine.run("watch", "--once", harm=("killed", "step_ended", "train"))
        assert trained.returncode == -signal.SIGKILL, trained.stderr
        assert _until_killed(machine, workspace, table), "the rollout came to its end"
        new = read_state(workspace).version
        assert int(new) > 1, "the service has changed, the journal does not know it yet"
        machine.done("watch", "--once")
        state = LoopState.of(Journal(journal_file(workspace)))
        done = [(each.name, each.version) for each in state.actions if each.outcome == "done"]
        assert done == [("retrain", new), ("introduce", new)]
        assert [each.outcome for each in state.actions if each.outcome != "done"] in ([], ["failed"])
        assert state.open is None
        status = machine.done("status")
        assert f"version {new}" in status and "not watching" in status
        shown = machine.done("history")
        assert all(word in shown for word in ("retrain", "introduce", "promote done", "ZenML training-looped_case-"))
        assert f"Nothing new to learn: version {new}" in machine.done("train")
    finally:
        machine.run("stop", "--yes")


def _until_killed(machine: Machine, workspace: Workspace, table: pd.DataFrame) -> bool:
    """Look until the new champion answers, and the process is killed before it can write that down."""
    for _ in range(3):
        ended = machine.run("watch", "--once", harm=("killed", "step_ended", "promote"))
        if ended.returncode == -signal.SIGKILL:
            return True
        assert ended.returncode == 0, ended.stderr
        ask(workspace, table.sample(40, random_state=2))
        _wait_for_the_canary(workspace)
    return False


def _wait_for_the_canary(workspace: Workspace) -> None:
    """Until the service has judged it: a look is slow, and finds nothing new before that."""
    until = time.monotonic() + _JUDGED_S
    while time.monotonic() < until:
        canary = current_plan(workspace, running_server(workspace)).canary
        if canary is None or canary.ready:
            return
        time.sleep(0.2)
