"""Running a pipeline so that its end is never in doubt."""

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from app.environment import hints_of
from app.runs.pod_diagnostics import end_jobs, pod_failure, submission_error
from app.runs.pod_watcher import PodWatcher
from app.runs.retries import retried_unless
from app.runs.run_options import merged, pipeline_options
from app.runs.step_containers import MountedFiles
from app.runs.tracking import tracking_options
from app.stacks.kube_contexts import refuse_another
from app.stacks.registration import stack_for_one_run
from app.stacks.stacks import running_on
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.signals import Stopped, stop_requested

PipelineRun = Any
"""ZenML's response object of one run."""
About = Literal["data", "new version", "champion"]
_VERSION: dict[About, str | None] = {"new version": None, "champion": "production"}


def launch(
    pipeline: Callable[..., PipelineRun],
    *,
    stack: str | None,
    model: str,
    about: About = "champion",
    files: MountedFiles | None = None,
    suffix: str = "",
    **parameters: object,
) -> PipelineRun:
    """Run `pipeline` on `stack` and return the completed run.

    ZenML may return normally although a step failed on a remote orchestrator, so the run's status decides.

    Args:
        pipeline: the pipeline.
        stack: name of a stack; None: the active one.
        model: name of the model.
        about: the run is about the model's champion, makes a new version of it, or only looks at the data.
        files: what the steps read and write on this machine beside the workspace.
        suffix: ends the name of the run, so that it can be found again; empty: a random one.
        parameters: what the pipeline takes.

    Raises:
        NoriaError: a step failed; if the step itself raised a NoriaError, that one.
        Stopped: a signal ended it; the run is marked as stopped.
    """
    from zenml import Model
    from zenml.client import Client

    from steps.shared.champion import require_champion_version
    from steps.shared.run_hints import HINTS

    flow = str(pipeline.name)  # type: ignore[attr-defined]
    name = _run_name(flow, model, suffix)
    options: dict[str, Any] = {
        "run_name": name,
        "model": Model(name=model, version=_VERSION[about]) if about != "data" else None,
        "extra": {HINTS: asdict(hints_of(model))},
    }
    progress.tick("starting ZenML")
    with stack_for_one_run(stack) as chosen:
        if about == "champion":
            require_champion_version(model)
        refuse_another(Client(), chosen)
        progress.stage("stack", f"{chosen}")
        watch = PodWatcher.of(Client(), chosen, name, running_on(chosen).pending_minutes)
        try:
            used = files or MountedFiles()
            with (
                pipeline_options(chosen, flow, run=name, model=model, parameters=parameters, files=used) as asked,
                watch,
                retried_unless(lambda: stop_requested() is not None or watch.error is not None),
            ):
                options["execution_mode"] = _execution_mode()
                tracked = tracking_options(Client(), flow, model)
                pipeline.with_options(**options, **merged(asked, tracked))(**parameters)  # type: ignore[attr-defined]
        except (Exception, Stopped) as error:
            cause = _cause(name, chosen, error, watch.error)
            if cause is error:
                raise
            raise cause from error
        return _completed(name, chosen, watch.error)


def artifact(run: PipelineRun, step: str, name: str | None = None) -> Any:
    """Load an output of one step of a run (its only output, unless `name` says which)."""
    outputs = run.steps[step].outputs
    versions = outputs[name] if name else next(iter(outputs.values()))
    return versions[0].load()


def _run_name(pipeline: str, model: str, suffix: str) -> str:
    """Unique, so that a run can be found again before its id is known."""
    return f"{pipeline}-{model}-{datetime.now():%Y%m%d-%H%M%S}-{suffix or uuid.uuid4().hex[:6]}"


def _execution_mode() -> Any:
    """What does not depend on a failed step does not run either, where the orchestrator knows how to stop.

    SageMaker, AzureML and Vertex do not; there, only what waits for every other step is safe.
    """
    from zenml.client import Client
    from zenml.enums import ExecutionMode

    known = Client().active_stack.orchestrator.supported_execution_modes
    stop = ExecutionMode.STOP_ON_FAILURE
    return stop if stop in known else ExecutionMode.CONTINUE_ON_FAILURE


def _completed(name: str, stack: str, ended: NoriaError | None) -> PipelineRun:
    from zenml.client import Client
    from zenml.enums import ExecutionStatus

    run = Client().get_pipeline_run(name)
    if ended is not None:
        _mark(run, "failed")
        raise ended
    if run.status not in (ExecutionStatus.COMPLETED, ExecutionStatus.CACHED):
        error = _failure(run, stack)
        _told_by_no_step(run, error)
        raise error
    cached = [step.name for step in run.steps.values() if step.status == ExecutionStatus.CACHED]
    if cached:
        progress.stage("cache", f"nothing has changed for {', '.join(cached)}")
    return run


def _failure(run: PipelineRun, stack: str) -> NoriaError:
    """What is known about a run that did not complete."""
    from zenml.client import Client

    broken = next((step for step in run.steps.values() if step.exception_info), None)
    known = broken and NoriaError.from_traceback(broken.exception_info.traceback)
    if known:
        return known
    pod = pod_failure(Client(), stack, run.id) if broken is None else None
    if pod is not None:
        return pod.error(run.name)
    if broken is None:
        said, where = f"its status is {run.status.value}", f"run {run.name}"
    else:
        said, where = (
            broken.exception_info.traceback.strip().splitlines()[-1],
            f"step `{broken.name}` of run {run.name}",
        )
    return NoriaError(
        f"the run did not complete: {said}",
        code="pipelines.run_failed",
        where=where,
        fix="look at the step's log: python run.py dashboard",
    )


def _cause(name: str, stack: str, error: BaseException, ended: NoriaError | None) -> BaseException:
    """Why a run ended early: a signal, what the watch `ended` it for, a step's error, or what ZenML has noted."""
    from zenml.client import Client

    from steps.shared.failures import last_failure

    run = next(iter(Client().list_pipeline_runs(name=name, size=1)), None)
    stop = stop_requested()
    if stop is not None:
        _mark(run, "stopped")
        if run is not None:
            end_jobs(Client(), stack, run.id)
        return stop
    if ended is not None:
        _mark(run, "failed")
        return ended
    failure = last_failure()
    if failure is not None:
        return failure
    cause = _outside_steps(stack, run, error)
    if run is not None:
        _told_by_no_step(run, cause)
    return cause


def _outside_steps(stack: str, run: PipelineRun | None, error: BaseException) -> BaseException:
    """Why a run ended early of which no step in this process has failed."""
    from zenml.client import Client
    from zenml.exceptions import StackValidationError

    if isinstance(error, StackValidationError):
        fix = "take another --stack, or give it what it lacks with `zenml stack update`"
        return NoriaError(f"the stack does not fit: {error}", code="stack.unfit", where=f"stack `{stack}`", fix=fix)
    in_vain = submission_error(Client(), stack, run, error) if run is not None else None
    if in_vain is not None:
        _mark(run, "failed")
        return in_vain
    return _failure(run, stack) if run is not None and "failure in step" in str(error) else error


def _told_by_no_step(run: PipelineRun, error: BaseException) -> None:
    """A step tells the stack's alerter itself that it failed, unless it never began or was killed."""
    from noria.monitoring.alerts import failure_alert
    from steps.shared.alerts import post_alert
    from steps.shared.failures import use_case_of

    if not any(step.exception_info for step in run.steps.values()):
        pipeline = run.pipeline.name
        use_case = use_case_of(run.name, pipeline)
        post_alert(failure_alert(use_case, pipeline, "", error), hints_of(use_case))


def _mark(run: PipelineRun | None, ended: Literal["stopped", "failed"]) -> None:
    """ZenML marks most of what a signal ends, but not a run or step that has hardly begun, nor one without a pod."""
    from zenml.enums import ExecutionStatus
    from zenml.orchestrators.publish_utils import publish_pipeline_run_status_update, publish_step_run_status_update

    if run is None:
        return
    for step in run.steps.values():
        if not step.status.is_finished:
            publish_step_run_status_update(step.id, ExecutionStatus(ended))
    if not run.status.is_finished:  # a run of which no step has begun passes from `stopping` to `stopped` only
        publish_pipeline_run_status_update(run.id, ExecutionStatus("stopping" if ended == "stopped" else ended))
