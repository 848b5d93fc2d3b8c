"""The container image of the service: `make image`.

    python -m app.images.service_image [--config FILE | --bundle FOLDER] [--tag NAME]

The image holds the bundle that answers now, or else the champion, or the one that is named.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.environment import prepare_environment, zenml_client
from app.images.project_images import SERVICE, build, image_size
from noria import deployment
from noria.bundle import Bundle
from noria.config import load_use_case
from noria.deployment.bento_code import bundle_of
from noria.deployment.container_command import require_fast_form
from noria.deployment.image_contents import image_contents
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT, Workspace
from noria.traffic import activation
from noria.traffic.activation import TrafficPlan

_CONFIG = PROJECT / "configs" / "telco_churn.yaml"


def main(
    config: Annotated[Path, typer.Option(help="The use case whose model goes into the image.")] = _CONFIG,
    bundle: Annotated[Path | None, typer.Option(help="Folder of a bundle to take instead.")] = None,
    tag: Annotated[str | None, typer.Option(help="Name of the image; by default name:version of the model.")] = None,
) -> None:
    """Build the image and print its size; $NORIA_BASE_IMAGE replaces the base image."""
    try:
        prepare_environment()
        found = Bundle.open(bundle) if bundle else answering(load_use_case(config).name)
        alone = TrafficPlan.of(found.folder, found.manifest.version)
        name = build_image(alone, tag or f"noria-{found.manifest.name}:{found.manifest.version}".lower())
    except NoriaError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    print(f"{name}: {image_size(name) / 1e6:,.0f} MB with version {found.manifest.version} of {found.manifest.name}")


def answering(use_case: str) -> Bundle:
    """The bundle that the service answers with, or, where none runs, the champion.

    Raises:
        NoriaError: nothing has been promoted yet.
    """
    workspace = Workspace(use_case)
    running = deployment.state(workspace)
    if running is not None:
        order = activation.read_plan(workspace.service)
        return Bundle.open(bundle_of(running.bento) if order is None else order.champion.bundle)
    zenml_client()
    from steps.shared.champion import require_champion

    return require_champion(use_case)


def build_image(order: TrafficPlan, name: str) -> str:
    """Build the image of all that an order names and return its name.

    Raises:
        NoriaError: a bundle needs the training libraries, or the engine cannot build.
    """
    require_fast_form([Bundle.open(variant.bundle) for variant in order.variants])
    with image_contents(order) as folder:
        return build(SERVICE, name, folder)


if __name__ == "__main__":
    typer.run(main)
