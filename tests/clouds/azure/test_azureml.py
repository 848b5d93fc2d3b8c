"""`run.py explore --stack azure`: compiled by Azure's own library as the stack file says, and its steps run here."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from microsoft import IMAGE, NOWHERE
from small_cases import churn_table, small_case

from noria.system.workspace import PROJECT

pytestmark = pytest.mark.e2e
_STEP_WITHIN_S = 300


class Workspace:
    """The part of Azure's MLClient that ZenML uses; a job is run here while the client waits for it."""

    def __init__(self, home: Path) -> None:
        self.home, self.pipelines, self.compute, self.jobs = home, [], self, self

    def get(self, name: str) -> Any:
        """The cluster that was made by hand."""
        return SimpleNamespace(
            type="amlcompute",
            provisioning_state="Succeeded",
            size="Standard_DS2_v2",
            min_instances=0,
            max_instances=2,
            tier="low_priority",
            location=None,
            idle_time_before_scale_down=120,
        )

    def create_or_update(self, pipeline: Any) -> Any:
        pipeline.name = pipeline.name or "one"  # as Azure does
        self.pipelines.append(pipeline._to_dict())
        studio = SimpleNamespace(endpoint="https://ml.azure.com/runs/one")
        return SimpleNamespace(name=pipeline.name, services={"Studio": studio}, studio_url=studio.endpoint)

    def stream(self, name: str) -> None:
        waiting = dict(self.pipelines[-1]["jobs"])
        while waiting:
            step = next(step for step, job in waiting.items() if not any(_needs(job, other) for other in waiting))
            if self._run(waiting.pop(step)["component"]["command"], name):
                return

    def _run(self, command: str, name: str) -> int:
        python, *arguments = shlex.split(command)
        assert python == "python"
        machine = NOWHERE | {each: os.environ[each] for each in ("PATH", "HOME")}
        told = {"AZUREML_RUN_ID": name, "NORIA_HOME": str(self.home), "ZENML_CUSTOM_SOURCE_ROOT": str(PROJECT)}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=PROJECT, env=machine | told, timeout=_STEP_WITHIN_S, check=False
        )
        return done.returncode


def _needs(job: dict[str, Any], other: str) -> bool:
    return f".jobs.{other}." in str(job.get("inputs", {}))


@pytest.fixture(scope="module")
def submitted(submitter: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from zenml.integrations.azure.orchestrators import AzureMLOrchestrator

    from app.commands.explore import explore

    folder = tmp_path_factory.mktemp("few")
    churn_table(400).to_csv(folder / "few.csv", index=False)
    workspace = Workspace(folder / "job")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AzureMLOrchestrator, "get_azureml_client", lambda _: workspace)
        explored = explore(small_case("cloud_churn", folder / "few.csv"), "azure")
    return explored, workspace.pipelines[0]


def test_the_pipeline_runs_from_one_end_to_the_other(submitted: Any) -> None:
    explored, pipeline = submitted
    assert {job["component"]["name"] for job in pipeline["jobs"].values()} == {"ingest", "validate", "explore"}
    assert "tenure" in Path(str(explored.fact("report"))).read_text(encoding="utf-8")


def test_a_job_is_what_the_stack_file_says(submitted: Any) -> None:
    pipeline = submitted[1]
    assert "noria" in str(pipeline["compute"])
    assert pipeline["jobs"]["validate"]["component"]["environment"]["image"] == IMAGE


def test_no_secret_of_ours_is_written_into_a_job(submitted: Any) -> None:
    said = str(submitted[1])
    assert "hunter2" not in said
    assert "AccountKey" not in said
