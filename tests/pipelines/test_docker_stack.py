"""`--stack docker`: every step in a real container."""

import os
from pathlib import Path
from typing import Any

import pytest
from docker_engine import docker
from pipeline_runs import runs_of, statuses
from zenml.client import Client

from noria.config import UseCase
from pipelines.platform.images import PIPELINE, build, image_of
from tests.conftest import Command
from tests.small_cases import churn_table, small_case, write_config

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


@pytest.fixture(scope="session")
def pipeline_image(engine: None) -> str:
    """Named after its code, and kept: the next run of the tests has it at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_BUILDKIT", "0")  # the classic builder must do
        return build(PIPELINE, image_of(PIPELINE))


@pytest.fixture
def explore(pipeline_image: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Explores a table outside the project and the workspace, named by a variable."""
    monkeypatch.setenv("NORIA_TEST_PLACE", str(tmp_path))

    def explored(name: str, wrong: int = 0) -> tuple[UseCase, Any]:
        table = churn_table(400)
        table.loc[: wrong - 1, "tenure"] = -1
        table.to_csv(tmp_path / "few.csv", index=False)
        case = small_case(name, Path("${env:NORIA_TEST_PLACE}/few.csv"))
        return case, command("explore", "--config", write_config(case, tmp_path / "case.yaml"), "--stack", "docker")

    return explored


def containers() -> str:
    return docker("ps", "--all", "--quiet", "--filter", "label=noria.run").stdout


def test_the_image_runs_without_privileges_and_without_what_no_step_needs(pipeline_image: str) -> None:
    program = "import importlib.util as u, os; print(os.getuid(), [m for m in ('pip', 'pytest') if u.find_spec(m)])"
    strict = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"]  # noqa: S108
    said = docker("run", "--rm", *strict, pipeline_image, "python", "-c", program).stdout.strip()
    assert said == "10001 []"


def test_steps_run_in_containers_and_what_they_made_is_here(explore: Any, home: Path, trained: object) -> None:
    case, ended = explore("in_containers")
    assert ended.code == 0, ended.err
    assert "ingest     400 rows" in ended.err
    run = runs_of(case, "exploration")[0]
    assert run.stack.name == "docker"
    assert run.steps["explore"].outputs["exploration_report"][0].load().title == "in_containers: the data"
    assert {path.stat().st_uid for path in (home / "artifacts").rglob("*")} == {os.getuid()}
    assert containers() == ""
    assert Client().active_stack_model.name == "default"


def test_a_step_that_fails_in_its_container_says_why(explore: Any, trained: object) -> None:
    case, ended = explore("fails_in_a_container", wrong=40)
    assert ended.code == 2
    assert "tenure is below 0" in ended.err
    assert "correct the expectation" in ended.err
    assert "Traceback" not in ended.out + ended.err
    assert statuses(runs_of(case, "exploration")[0]) == {"ingest": "completed", "validate": "failed"}
    assert containers() == ""
