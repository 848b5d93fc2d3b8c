"""The service as a container that Noria starts on this machine."""

from collections.abc import Iterable

from app.images.project_images import SERVICE, image_of
from app.serving.process import ProcessBackend
from app.stacks.definition import PreflightFinding
from app.stacks.preflight.step_image import missing_image
from noria.bundle import Bundle
from noria.deployment.container_command import require_fast_form


class ContainerBackend(ProcessBackend):
    """As a process of this machine, but in the service's image, which has no training libraries."""

    @property
    def image(self) -> str:
        """The image of the code as it is here."""
        return image_of(SERVICE)

    def preflight(self) -> Iterable[PreflightFinding]:
        """The Docker engine must have the image."""
        return missing_image("noria.service", self.image)

    def _check_champion(self, bundle: Bundle) -> None:
        require_fast_form([bundle])
