"""Running a pipeline so that its end is never in doubt."""

from collections.abc import Callable
from typing import Any

from noria.errors import NoriaError
from pipelines.platform.stacks import stack_for_one_run

PipelineRun = Any
"""ZenML's response object of one run."""


def launch(pipeline: Callable[..., PipelineRun], *, stack: str | None, model: str, **parameters: object) -> PipelineRun:
    """Run `pipeline` on `stack` and return the completed run.

    ZenML may return normally although a step failed on a remote orchestrator, so the run's status decides.

    Raises:
        NoriaError: a step failed; if the step itself raised a NoriaError, that one.
    """
    from zenml import Model

    with stack_for_one_run(stack):
        try:
            run = pipeline.with_options(model=Model(name=model), enable_cache=None)(**parameters)  # type: ignore[attr-defined]
        except RuntimeError as error:
            raise _cause(pipeline.name, error) from error  # type: ignore[attr-defined]
        return _completed(run)


def artifact(run: PipelineRun, step: str, name: str | None = None) -> Any:
    """Load an output of one step of a run (its only output, unless `name` says which)."""
    outputs = run.steps[step].outputs
    versions = outputs[name] if name else next(iter(outputs.values()))
    return versions[0].load()


def _completed(run: PipelineRun) -> PipelineRun:
    from zenml.client import Client
    from zenml.enums import ExecutionStatus

    run = Client().get_pipeline_run(run.id)
    if run.status in (ExecutionStatus.COMPLETED, ExecutionStatus.CACHED):
        return run
    raise _failure(run)


def _failure(run: PipelineRun) -> NoriaError:
    """What is known about a run that did not complete."""
    broken = next((step for step in run.steps.values() if step.exception_info), None)
    if broken is None:
        said, where = f"its status is {run.status.value}", f"run {run.name}"
    else:
        said, where = (
            broken.exception_info.traceback.strip().splitlines()[-1],
            f"step `{broken.name}` of run {run.name}",
        )
    return NoriaError(
        f"the run did not complete: {said}",
        where=where,
        fix="look at the step's log: python run.py dashboard",
    )


def _cause(pipeline: str, error: RuntimeError) -> BaseException:
    """The error that a step of this process raised, or what ZenML has noted of the latest run."""
    from zenml.client import Client

    from steps.shared.failures import last_failure

    cause = last_failure()
    if cause is not None:
        return cause
    runs = Client().list_pipeline_runs(pipeline=pipeline, sort_by="desc:created", size=1)
    return _failure(runs[0]) if len(runs) and "failure in step" in str(error) else error
