"""`run.py explore --stack gcp`: compiled by Kubeflow's own compiler as the stack file says, and its steps run here."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google_here import BUCKET, IMAGE, NOWHERE
from small_cases import churn_table, small_case

from noria.system.workspace import PROJECT

pytestmark = pytest.mark.e2e
_STEP_WITHIN_S = 300
_NAME = "projects/ours/locations/europe-west3/pipelineJobs/one"


class Submitted:
    """A pipeline as Vertex would get it; it is run here while the client waits for it."""

    def __init__(self, job: Any, service_account: str) -> None:
        self.job, self.service_account = job, service_account

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """What each step's job is told, by the step's name."""
        spec = self.job["pipelineSpec"]
        return {
            name: {
                key: each.get("defaultValue")
                for key, each in spec["components"][task["componentRef"]["name"]]["inputDefinitions"][
                    "parameters"
                ].items()
            }
            for name, task in spec["root"]["dag"]["tasks"].items()
        }

    def container(self, step: str) -> dict[str, Any]:
        found: dict[str, Any] = self.steps[step]["worker_pool_specs"][0]["container_spec"]
        return found

    def run(self, home: Path) -> None:
        """Run the steps in their order; ends at the first that fails."""
        waiting = dict(self.job["pipelineSpec"]["root"]["dag"]["tasks"])
        while waiting:
            name = next(name for name, task in waiting.items() if not waiting.keys() & set(_before(task)))
            del waiting[name]
            if _run(self.container(name), home):
                return


def _before(task: dict[str, Any]) -> list[str]:
    found: list[str] = task.get("dependentTasks", [])
    return found


def _run(container: dict[str, Any], home: Path) -> int:
    # what Vertex puts in the place of its own placeholders
    told = {each["name"]: each["value"].replace("{{$.pipeline_job_name}}", "one") for each in container["env"]}
    python, *arguments = [*container["command"], *container["args"]]
    assert python == "python"
    machine = {each: os.environ[each] for each in ("PATH", "HOME", "STORAGE_EMULATOR_HOST")}
    environment = machine | NOWHERE | {"NORIA_HOME": str(home), "ZENML_CUSTOM_SOURCE_ROOT": str(PROJECT)} | told
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, timeout=_STEP_WITHIN_S, check=False).returncode


@pytest.fixture(scope="module")
def submitted(submitter: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform
    from google.protobuf import json_format
    from zenml.integrations.gcp.orchestrators import VertexOrchestrator

    from app.commands.explore import explore

    folder = tmp_path_factory.mktemp("few")
    churn_table(400).to_csv(folder / "few.csv", index=False)
    pipelines: list[Submitted] = []

    def submit(job: Any, service_account: str, network: Any) -> None:
        job._gca_resource.name = _NAME
        pipelines.append(Submitted(json_format.MessageToDict(job._gca_resource._pb), service_account))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VertexOrchestrator, "_get_authentication", lambda _: (AnonymousCredentials(), "ours"))
        patch.setattr(aiplatform.PipelineJob, "submit", submit)
        patch.setattr(aiplatform.PipelineJob, "wait", lambda _: pipelines[-1].run(folder / "job"))
        explored = explore(small_case("cloud_churn", folder / "few.csv"), "gcp")
    return explored, pipelines[0]


def test_the_pipeline_runs_from_one_end_to_the_other(submitted: Any) -> None:
    explored, pipeline = submitted
    assert set(pipeline.steps) == {"ingest", "validate", "explore"}
    assert "tenure" in Path(str(explored.fact("report"))).read_text(encoding="utf-8")


def test_a_job_is_what_the_stack_file_says(submitted: Any) -> None:
    pipeline = submitted[1]
    step = pipeline.steps["validate"]
    account = "noria-pipeline@ours.iam.gserviceaccount.com"
    assert pipeline.service_account == account
    assert pipeline.job["runtimeConfig"]["gcsOutputDirectory"] == f"gs://{BUCKET}/noria/vertex"
    assert (step["strategy"], step["timeout"], step["max_wait_duration"]) == ("SPOT", "3600s", "3600s")
    assert (step["service_account"], step["labels"]) == (account, {"project": "noria"})
    assert step["worker_pool_specs"][0]["machine_spec"]["machine_type"] == "n1-standard-4"
    assert step["worker_pool_specs"][0]["disk_spec"] == {"boot_disk_type": "pd-standard", "boot_disk_size_gb": 100}
    assert pipeline.container("validate")["image_uri"] == IMAGE


def test_no_secret_of_ours_is_written_into_a_job(submitted: Any) -> None:
    assert "hunter2" not in str(submitted[1].job)
