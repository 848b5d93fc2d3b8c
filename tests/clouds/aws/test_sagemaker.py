"""`run.py explore --stack aws`: submitted to SageMaker as the stack file says, and its steps run as submitted."""

import json
from pathlib import Path
from typing import Any

import pytest
from amazon import BUCKET, IMAGE, ROLE, Amazon
from sagemaker_here import Execution
from small_cases import churn_table, small_case

from tests.errors_raised import raises

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def submitted(submitter: Amazon, zenml_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The outcome of the command, and what SageMaker was given; the test waits where SageMaker would."""
    import sagemaker.workflow.pipeline as sdk

    from app.commands.explore import explore

    folder = tmp_path_factory.mktemp("few")
    churn_table(400).to_csv(folder / "few.csv", index=False)
    executions: list[Execution] = []

    def wait(execution: Any, delay: int, max_attempts: int) -> None:
        executions.append(Execution(submitter, execution.arn))
        executions[-1].run(folder / "job")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sdk._PipelineExecution, "wait", wait)
        explored = explore(small_case("cloud_churn", folder / "few.csv"), "aws")
    return explored, executions[0].steps


def test_the_pipeline_runs_from_one_end_to_the_other(submitted: Any) -> None:
    explored, steps = submitted
    assert list(steps) == ["ingest", "validate", "explore"]
    assert "tenure" in Path(str(explored.fact("report"))).read_text(encoding="utf-8")


def test_a_job_is_what_the_stack_file_says(submitted: Any) -> None:
    job = submitted[1]["validate"]["Arguments"]
    assert job["AlgorithmSpecification"]["TrainingImage"] == IMAGE
    assert job["RoleArn"] == ROLE
    assert job["ResourceConfig"] == {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    assert job["EnableManagedSpotTraining"] is True
    assert job["OutputDataConfig"]["S3OutputPath"] == f"s3://{BUCKET}/noria/sagemaker"
    assert {"Key": "project", "Value": "noria"} in job["Tags"]


def test_no_secret_of_ours_is_written_into_a_job(submitted: Any) -> None:
    said = str(submitted[1])
    assert "hunter2" not in said
    assert "AWS_SECRET_ACCESS_KEY" not in said


def test_a_failed_step_keeps_a_model_from_being_registered(submitter: Amazon, tmp_path: Path) -> None:
    import sagemaker.workflow.pipeline as sdk

    from app.commands.train import train

    churn_table(400).to_csv(tmp_path / "few.csv", index=False)
    executions: list[Execution] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sdk._PipelineExecution, "wait", lambda execution, **_: executions.append(execution))
        with raises("pipelines.run_failed"):
            train(small_case("cloud_churn", tmp_path / "few.csv"), "aws")
    steps = Execution(submitter, executions[0].arn).steps
    before, todo = set(), ["register"]
    while todo:
        before.add(todo.pop())
        todo += [each for name in before for each in steps[name].get("DependsOn", []) if each not in before]
    assert before == set(steps)
    # a larger definition would be put beside noria/, where nobody may write
    assert len(json.dumps(steps)) < 100 * 1024
