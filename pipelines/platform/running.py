"""What ZenML is told about how steps run on a stack."""

from typing import Any

from noria.stacks import Running


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
