"""The preflight of what steps run in: is an image named, and does the Docker engine here have it?"""

from collections.abc import Iterator
from typing import Any

from app.images.project_images import variables_for
from app.stacks.definition import Component, PreflightFinding, StackFile
from noria.deployment.docker_cli import run_docker
from noria.system.errors import NoriaError, last_line
from noria.system.workspace import PROJECT

_SECONDS = 10.0


def image_findings(stack: StackFile, client: Any) -> Iterator[PreflightFinding]:
    """What keeps the steps of a stack from running in its image."""
    running = stack.noria
    if running.code == "artifact_store" and not any((each / ".git").exists() for each in (PROJECT, *PROJECT.parents)):
        yield PreflightFinding(
            f"noria.code: {PROJECT} is in no Git repository, so that ZenML would upload .venv and .noria as well",
            "git init it, or write code: image",
        )
    known = variables_for(running)
    unset = [variable for variable in running.variables if variable not in known]
    if unset:
        yield PreflightFinding(f"section `noria`: environment variable {unset[0]} is not set", f"export {unset[0]}=…")
    elif running.image is None and _wants_image(stack.orchestrator, client):
        yield PreflightFinding(
            f"{stack.orchestrator.title} runs steps in containers, and the file names no image",
            "write noria: {image: …} into it; `make images` builds one",
        )
    else:
        images = stack.model_copy(update={"noria": running.filled(known)}).images_of("local_docker")
        for key, image in images.items():
            yield from missing_image(key, image)


def engine_findings(title: str) -> Iterator[PreflightFinding]:
    """Why no Docker engine can be used here, if none can."""
    try:
        done = run_docker("version", "--format", "{{.Server.Version}}", timeout_s=_SECONDS)
    except NoriaError as error:
        yield PreflightFinding(f"{title}: {error.what}", error.fix)
        return
    if done.returncode:
        reason = last_line(done.stderr)
        yield PreflightFinding(f"{title}: no Docker engine can be used: {reason}", "start Docker, or set DOCKER_HOST")


def missing_image(key: str, image: str) -> Iterator[PreflightFinding]:
    """That the Docker engine here does not have an image, if that is so; `key` of the stack file names it."""
    try:
        done = run_docker("image", "inspect", "--format", "{{.Id}}", image, timeout_s=_SECONDS)
    except NoriaError:  # reported with the orchestrator
        return
    if done.returncode and "no such image" in done.stderr.lower():
        yield PreflightFinding(
            f"{key}: the Docker engine has no image `{image}`", "`make images` builds it; or `docker pull` it"
        )


def _wants_image(orchestrator: Component, client: Any) -> bool:
    from zenml.orchestrators import ContainerizedOrchestrator
    from zenml.stack import Flavor

    try:
        model = client.get_flavor_by_name_and_type(orchestrator.flavor, "orchestrator")
        return issubclass(Flavor.from_model(model).implementation_class, ContainerizedOrchestrator)
    except (KeyError, ImportError):  # reported with the orchestrator
        return False
