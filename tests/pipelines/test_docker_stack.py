"""`--stack docker`: every step in a real container."""

import os
from pathlib import Path
from typing import Any

import pytest
from docker_engine import docker, pipeline_image
from pipeline_runs import runs_of, statuses
from zenml.client import Client

from noria.config import UseCase
from tests.conftest import Command
from tests.small_cases import churn_table, small_case, write_config

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


_IMPORTS_ALL = """
import importlib, pkgutil
import materializers, noria, pipelines, steps
for package in (materializers, noria, pipelines, steps):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".migrations" not in found.name and ".engines.ray" not in found.name:
            importlib.import_module(found.name)
"""
"""But what Alembic runs, and what wants Ray."""


@pytest.fixture(scope="session")
def image(engine: None) -> str:
    return pipeline_image()


@pytest.fixture
def explore(image: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Explores a table outside the project and the workspace, named by a variable."""
    monkeypatch.setenv("NORIA_TEST_PLACE", str(tmp_path))

    def explored(name: str, wrong: int = 0) -> tuple[UseCase, Any]:
        table = churn_table(400)
        table.loc[: wrong - 1, "tenure"] = -1
        table.to_csv(tmp_path / "few.csv", index=False)
        case = small_case(name, Path("${env:NORIA_TEST_PLACE}/few.csv"))
        return case, command("explore", "--config", write_config(case, tmp_path / "case.yaml"), "--stack", "docker")

    return explored


def containers(case: UseCase) -> list[str]:
    """The runs of the case that have one."""
    runs = docker("ps", "--all", "--filter", "label=noria.run", "--format", '{{.Label "noria.run"}}').stdout.split()
    return [run for run in runs if case.name in run]


def test_the_image_runs_without_privileges_and_without_what_no_step_needs(image: str) -> None:
    program = "import importlib.util as u, os; print(os.getuid(), [m for m in ('pip', 'pytest') if u.find_spec(m)])"
    strict = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"]  # noqa: S108
    said = docker("run", "--rm", *strict, image, "python", "-c", program).stdout.strip()
    assert said == "10001 []"


def test_nothing_that_a_step_needs_was_taken_out_of_the_image(image: str) -> None:
    program = ["--env", "ZENML_CUSTOM_SOURCE_ROOT=/app", image, "python", "-c", f"{_IMPORTS_ALL}print('all')"]
    assert docker("run", "--rm", "--network", "none", *program).stdout.strip() == "all"


def test_steps_run_in_containers_and_what_they_made_is_here(explore: Any, home: Path, trained: object) -> None:
    case, ended = explore("in_containers")
    assert ended.code == 0, ended.err
    assert "ingest     400 rows" in ended.err
    run = runs_of(case, "exploration")[0]
    assert run.stack.name == "docker"
    assert run.steps["explore"].outputs["exploration_report"][0].load().title == "in_containers: the data"
    assert {path.stat().st_uid for path in (home / "artifacts").rglob("*")} == {os.getuid()}
    assert containers(case) == []
    assert Client().active_stack_model.name == "local"


def test_a_step_that_fails_in_its_container_says_why(explore: Any, trained: object) -> None:
    case, ended = explore("fails_in_a_container", wrong=40)
    assert ended.code == 2
    assert "tenure is below 0" in ended.err
    assert "data.quarantine_too_large" in ended.err
    assert "Traceback" not in ended.out + ended.err
    assert statuses(runs_of(case, "exploration")[0]) == {"ingest": "completed", "validate": "failed"}
    assert containers(case) == []
