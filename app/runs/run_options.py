"""What ZenML needs to know about how steps run on a stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.environment import zenml_client
from app.runs import step_containers
from app.runs.run_secrets import run_secrets
from app.runs.step_containers import MountedFiles
from app.stacks import stacks
from app.stacks.definition import Component, StackFile, StepConfig, StepResources, StepsConfig, read_stack

Options = dict[str, Any]


@contextmanager
def pipeline_options(
    stack: str, pipeline: str, *, run: str, model: str, parameters: object, files: MountedFiles
) -> Iterator[Options]:
    """Options of a run on a stack, for as long as it runs.

    Args:
        stack: its name.
        pipeline: name of the pipeline.
        run: name of the run.
        model: name of the model.
        parameters: what the pipeline takes; the environment variables that they name go with the run.
        files: what its steps read and write on this machine.

    Raises:
        NoriaError: the stack's file cannot be read, or what it asks for is not there.
    """
    running = stacks.running_on(stack)
    if running == StepsConfig():
        yield {}
        return
    file = read_stack(stacks.STACK_FILES / f"{stack}.yaml").model_copy(update={"noria": running})
    options = run_options(file, pipeline)
    if running.images:
        options |= run_secrets(zenml_client(), model, str(parameters))
    if file.orchestrator.flavor != step_containers.FLAVOR:
        yield options
        return
    with step_containers.in_containers(file, run, files, zenml_client()) as run_args:
        own = {_key(file.orchestrator): {"run_args": run_args | _limits(running.resources)}}
        yield options | {"settings": options.get("settings", {}) | own}


def run_options(stack: StackFile, pipeline: str) -> Options:
    """Options of a pipeline; none where the stack says nothing, so that it runs as ZenML would run it.

    Args:
        stack: its file, with the environment variables of the section `noria` filled in.
        pipeline: its name.
    """
    from zenml.config.retry_config import StepRetryConfig

    running = stack.noria
    options: Options = {}
    settings = {**_docker(running, running.image), **_granted(stack.orchestrator, running.resources)}
    if settings:
        options["settings"] = settings
    if running.retries:
        options["retry"] = StepRetryConfig(max_retries=running.retries)
    steps = {name: _of_step(stack, step) for name, step in running.of_pipeline(pipeline).items()}
    if steps:
        options["steps"] = steps
    return options


def merged(over: dict[str, Any], under: dict[str, Any]) -> dict[str, Any]:
    """Both options, and of two values the first; sections are put together."""
    both = {key: merged(over[key], under[key]) for key in over if _is_section(over, key) and _is_section(under, key)}
    return under | over | both


def _is_section(settings: dict[str, Any], key: str) -> bool:
    return isinstance(settings.get(key), dict)


def _of_step(stack: StackFile, step: StepConfig) -> Options:
    runner = stack.runner(step)
    settings = {**_docker(stack.noria, step.image), **_granted(runner, step.resources)}
    if step.settings:
        key = _key(runner)
        settings[key] = merged(step.settings, settings.get(key, {}))
    options: Options = {"settings": settings} if settings else {}
    return options | ({"step_operator": runner.name} if step.step_operator else {})


def _docker(running: StepsConfig, image: str | None) -> dict[str, Any]:
    """The image as it is: ZenML builds nothing on top of it."""
    from zenml.config import DockerSettings

    if image is None:
        return {}
    is_inside = running.code == "image"
    settings = DockerSettings(
        parent_image=image,
        skip_build=True,
        allow_including_files_in_images=is_inside,
        allow_download_from_artifact_store=not is_inside,
        allow_download_from_code_repository=False,
    )
    return {"docker": settings}


def _granted(runner: Component, asked: StepResources) -> dict[str, Any]:
    """Resources in the words of what runs the step; ZenML's integrations of Kubernetes and Docker pass over its own."""
    from zenml.config import ResourceSettings

    if asked == StepResources():
        return {}
    if runner.flavor == "kubernetes":
        return {_key(runner): {"pod_settings": {"resources": _of_pod(asked)}}}
    if runner.flavor == step_containers.FLAVOR:
        return {_key(runner): {"run_args": _limits(asked)}}
    return {"resources": ResourceSettings(cpu_count=asked.cpu, memory=asked.memory)}


def _of_pod(asked: StepResources) -> dict[str, dict[str, str]]:
    """A pod that takes more memory is ended; one that takes more processor time is only slowed where others want it."""
    memory = {} if asked.memory_bytes is None else {"memory": str(asked.memory_bytes)}
    cpu = {} if asked.cpu is None else {"cpu": f"{asked.cpu:g}"}
    return {"requests": cpu | memory} | ({"limits": memory} if memory else {})


def _limits(asked: StepResources) -> dict[str, int]:
    """What Docker's client calls them."""
    memory = {} if asked.memory_bytes is None else {"mem_limit": asked.memory_bytes}
    return memory | ({} if asked.cpu is None else {"nano_cpus": round(asked.cpu * 1e9)})


def _key(component: Component) -> str:
    """ZenML's name for the settings of a component."""
    return f"{component.type}:{component.name}"
