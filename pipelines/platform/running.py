"""What ZenML is told about how steps run on a stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from noria.stacks import Running, read_stack
from pipelines.platform import containers, stacks
from pipelines.platform.containers import Files
from pipelines.platform.environment import zenml_client
from pipelines.platform.handed_on import handed_on


@contextmanager
def as_asked(stack: str, run: str, model: str, parameters: object, files: Files) -> Iterator[dict[str, Any]]:
    """Options of a run on a stack, for as long as it runs.

    Args:
        stack: its name.
        run: name of the run.
        model: name of the model.
        parameters: what the pipeline takes; the environment variables that they name go with the run.
        files: what its steps read and write on this machine.

    Raises:
        NoriaError: the stack's file cannot be read, or what it asks for is not there.
    """
    running = stacks.running_on(stack)
    options = run_options(running)
    if running.image is None:
        yield options
        return
    options |= handed_on(zenml_client(), model, str(parameters))
    file = read_stack(stacks.STACK_FILES / f"{stack}.yaml")
    if file.orchestrator.flavor != containers.FLAVOR:
        yield options
        return
    with containers.in_containers(file, run, files, zenml_client()) as settings:
        yield options | {"settings": options["settings"] | settings}


def run_options(running: Running) -> dict[str, Any]:
    """Options of a pipeline; none where the stack says nothing, so that it runs as ZenML would run it."""
    from zenml.config.retry_config import StepRetryConfig

    options: dict[str, Any] = {}
    settings = {**_docker(running), **_resources(running)}
    if settings:
        options["settings"] = settings
    if running.retries:
        options["retry"] = StepRetryConfig(max_retries=running.retries)
    return options


def _docker(running: Running) -> dict[str, Any]:
    """The image as it is: ZenML builds nothing on top of it."""
    from zenml.config import DockerSettings

    if running.image is None:
        return {}
    is_inside = running.code == "image"
    settings = DockerSettings(
        parent_image=running.image,
        skip_build=True,
        allow_including_files_in_images=is_inside,
        allow_download_from_artifact_store=not is_inside,
        allow_download_from_code_repository=False,
    )
    return {"docker": settings}


def _resources(running: Running) -> dict[str, Any]:
    from zenml.config import ResourceSettings

    asked = running.resources
    if asked.cpu is None and asked.memory is None:
        return {}
    return {"resources": ResourceSettings(cpu_count=asked.cpu, memory=asked.memory)}
