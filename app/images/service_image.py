"""The container image of the service: the bundle that answers now, or else the champion, or one that is named."""

from pathlib import Path

from app.environment import zenml_client
from app.images.project_images import SERVICE, build
from noria import deployment
from noria.bundle import Bundle
from noria.config import load_use_case
from noria.deployment.bento_code import bundle_of
from noria.deployment.container_command import require_fast_form
from noria.deployment.image_contents import image_contents
from noria.system.workspace import PROJECT, Workspace
from noria.traffic import activation
from noria.traffic.activation import TrafficPlan

_CONFIG = PROJECT / "configs" / "telco_churn.yaml"


def build_service_image(config: Path | None, bundle: Path | None, tag: str | None) -> tuple[str, Bundle]:
    """Build the image of the service with one model, and return its name and the model's bundle.

    Args:
        config: the use case whose model goes into the image, if no bundle is given.
        bundle: the folder of a bundle.
        tag: the image's name; by default name:version of the model.

    Raises:
        NoriaError: nothing has been promoted yet, or the image cannot be built.
    """
    found = Bundle.open(bundle) if bundle else answering(load_use_case(config or _CONFIG).name)
    alone = TrafficPlan.of(found.folder, found.manifest.version)
    return build_image(alone, tag or f"noria-{found.manifest.name}:{found.manifest.version}".lower()), found


def answering(use_case: str) -> Bundle:
    """The bundle that the service answers with, or, where none runs, the champion.

    Raises:
        NoriaError: nothing has been promoted yet.
    """
    workspace = Workspace(use_case)
    running = deployment.read_state(workspace)
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
