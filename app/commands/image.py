"""`image` and `images`: container images of the service with its model, and of Noria itself."""

from pathlib import Path

from app.command_result import CommandResult
from app.images.project_images import build_project_images, image_size
from app.images.service_image import build_service_image
from noria.system.shell_commands import shell_command


def image(config: Path | None, bundle: Path | None, tag: str | None) -> CommandResult:
    """Build the image of the service with its model; $NORIA_BASE_IMAGE replaces the base image.

    Raises:
        NoriaError: nothing has been promoted yet, or the image cannot be built.
    """
    name, model = build_service_image(config, bundle, tag)
    manifest = model.manifest
    facts = [("image", _with_size(name)), ("model", f"version {manifest.version} of {manifest.name} ({manifest.kind})")]
    run = shell_command("docker", "run", "--rm", "--publish", "3000:3000", "--volume", "noria:/data", name)
    return CommandResult(f"{name} is built.", [*facts], [run])


def images() -> CommandResult:
    """Build the images that the stack `docker` runs: the steps of pipelines, and the service without a model.

    Raises:
        NoriaError: one of them cannot be built.
    """
    facts = [("image", _with_size(name)) for name in build_project_images()]
    return CommandResult("The images are built.", [*facts], ["python run.py stack check docker"])


def _with_size(name: str) -> str:
    return f"{name}: {image_size(name) / 1e6:,.0f} MB"
