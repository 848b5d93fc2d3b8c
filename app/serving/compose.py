"""The service of the platform on this machine, a container of Docker Compose."""

import json
from functools import cached_property
from typing import Any

from app.images.project_images import docker
from app.images.service_image import build_image
from app.servers import compose_platform
from app.serving.kubernetes_rollout import image_tag, order_on
from app.serving.service_probe import Facts, ServiceAddress
from noria.config import UseCase
from noria.system import progress
from noria.system.errors import NoriaError
from noria.traffic.activation import TrafficPlan


class Composed:
    """Compose's container `service`."""

    title = "container `service` of Docker Compose"
    changes = "the container answers with what is in its image: only the shares and the policies of that can be changed"
    is_changeable = True

    def __init__(self, url: str | None) -> None:
        settings = compose_platform.known_settings()
        self._before = settings.get(compose_platform.IMAGE_BEFORE, "")
        found = url or (compose_platform.url_of(settings, "SERVICE_PORT") if settings else None)
        self.address = ServiceAddress(found, settings) if found else None
        """Where it answers, with the tokens that were made for it; None: there never was a platform here."""

    @cached_property
    def _container(self) -> dict[str, Any] | None:
        """As Docker shows it; None: there is none."""
        if not compose_platform.known_settings():
            return None
        names = compose_platform.composed("--profile", "service", "ps", "--all", "--quiet", "service").split()
        return dict(json.loads(docker("inspect", names[0], quiet=True))[0]) if names else None

    @property
    def is_there(self) -> bool:
        """Is there a container, running or not?"""
        return self._container is not None

    @property
    def answers(self) -> bool:
        """Does it run, as far as Docker knows?"""
        return self._state.get("Status") == "running"

    @property
    def headline(self) -> str:
        """How it does, in a few words."""
        return f"the {self.title} is {self._state.get('Status', 'unknown')}."

    @property
    def image(self) -> str:
        """What it runs."""
        return str((self._container or {}).get("Config", {}).get("Image", "unknown"))

    def facts(self) -> Facts:
        """The container and its image."""
        found = self._container or {}
        name, since = str(found.get("Name", "")).lstrip("/"), str(self._state.get("StartedAt", ""))[:19]
        health = self._state.get("Health", {}).get("Status", "unknown")
        restarts = found.get("RestartCount", 0)
        told = f"{name}, since {since.replace('T', ' ')} UTC, Docker's health check says {health}, {restarts} restarts"
        return [("container", told), ("image", self.image), ("log", f"docker logs {name}")]

    def stopping(self) -> str:
        """What `stop` takes away and what it leaves, to be confirmed."""
        return f"This stops the {self.title} ({self.image}). {_KEPT}"

    def stop(self) -> Facts:
        """End the container; its volume stays.

        Raises:
            NoriaError: Compose could not.
        """
        image = self.image
        compose_platform.compose("--profile", "service", "rm", "--stop", "--force", "service")
        return [("service", f"{self.title}, {image}"), ("spool", _KEPT), ("platform", "make platform ARGS=down")]

    def roll_back(self) -> tuple[str, Facts]:
        """Let the image before the last one answer.

        Raises:
            NoriaError: there was none, or it does not come up.
        """
        if not self._before:
            raise NoriaError(
                "there is nothing to take back: no other image has answered",
                where=self.title,
                fix='name the one that should: make platform ARGS="serve --image NAME"',
            )
        before = self.image
        url, now = compose_platform.serve(self._before)
        return f"The image before answers at {url}.", [("before", before), ("now", now)]

    @property
    def _state(self) -> dict[str, Any]:
        return dict((self._container or {}).get("State", {}))


_KEPT = "Its volume stays, and with it every answer that still waits in the spool for the prediction store."


def serve_champion(stack: str, use_case: UseCase) -> tuple[TrafficPlan, str, str]:
    """Build an image of the champion and whoever answers beside it, and let Compose's service answer with it.

    Returns:
        Who answers, where, and the image.

    Raises:
        NoriaError: there is no champion or no platform, the image cannot be built, or the service does not come up.
    """
    if not compose_platform.known_settings():
        raise NoriaError("there is no platform here", where=str(compose_platform.settings_file()), fix="make platform")
    order = order_on(stack, use_case)
    image = build_image(order, f"noria-{use_case.name}:{image_tag(order)}".lower())
    progress.stage("image", f"{image}")
    url, _ = compose_platform.serve(image)
    progress.stage("service", f"{url}")
    return order, url, image
