"""What SageMaker does with a pipeline's definition, on this machine: step by step, each in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amazon import Amazon

from noria.system.workspace import PROJECT

_STEP_WITHIN_S = 300


@dataclass(frozen=True)
class Execution:
    """One run of one pipeline, as SageMaker has it."""

    amazon: Amazon
    arn: str

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """The steps by name, as the orchestrator has written them."""
        sagemaker = self.amazon.client("sagemaker")
        pipeline = sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.arn)["PipelineArn"]
        definition = sagemaker.describe_pipeline(PipelineName=pipeline.split("/")[-1])["PipelineDefinition"]
        return {step["Name"]: step for step in json.loads(definition)["Steps"]}

    def run(self, home: Path) -> None:
        """Run the steps in their order with the rights of the job; ends at the first that fails."""
        waiting, job = self.steps, self.amazon.person("pipeline") | {"NORIA_HOME": str(home)}
        while waiting:
            name = next(name for name, step in waiting.items() if not waiting.keys() & set(step.get("DependsOn", [])))
            if _run(waiting.pop(name)["Arguments"], self.arn, job):
                return


def _run(job: dict[str, Any], arn: str, identity: dict[str, str]) -> int:
    known = {"Execution.PipelineExecutionArn": arn}
    wanted = {
        name: known[value["Get"]] if isinstance(value, dict) else value for name, value in job["Environment"].items()
    }
    python, *arguments = [*job["AlgorithmSpecification"]["ContainerEntrypoint"], *_arguments(job)]
    assert python == "python"
    machine = {name: os.environ[name] for name in ("PATH", "HOME", "AWS_DEFAULT_REGION") if name in os.environ}
    environment = machine | {"ZENML_CUSTOM_SOURCE_ROOT": str(PROJECT)} | wanted | identity
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=environment, timeout=_STEP_WITHIN_S, check=False)
    return done.returncode


def _arguments(job: dict[str, Any]) -> list[str]:
    found: list[str] = job["AlgorithmSpecification"]["ContainerArguments"]
    return found
