"""The service of the platform on this machine, a container of Docker Compose."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from app.command_result import CommandResult, Facts, run_py
from app.environment import one_at_a_time
from app.images.service_image import build_image
from app.servers import compose_platform
from app.serving.model_image import champion_plan, image_tag
from app.serving.remote import RemoteBackend
from app.serving.service_probe import ServiceAddress, curl_commands
from app.serving.traffic_request import TrafficRequest
from app.serving.traffic_summary import variant_facts
from app.stacks.definition import PreflightFinding
from noria.bundle import Bundle
from noria.config import UseCase
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.shell_commands import shell_command
from noria.system.workspace import Workspace

_VOLUME_STAYS = "Its volume stays, and with it every answer that still waits in the spool for the prediction store."


class ComposeBackend(RemoteBackend):
    """The service is Compose's container `service`."""

    title = "container `service` of Docker Compose"
    change_limit = (
        "the container answers with what is in its image: only the shares and the policies of that can be changed"
    )

    @cached_property
    def address(self) -> ServiceAddress | None:
        """Where it answers, with the tokens that were made for it; None: there never was a platform here."""
        settings = compose_platform.known_settings()
        url = self._target.url or (compose_platform.url_of(settings, "SERVICE_PORT") if settings else None)
        return ServiceAddress(url, settings) if url else None

    @property
    def is_deployed(self) -> bool:
        """Is there a container, running or not?"""
        return self._container is not None

    @property
    def is_ready(self) -> bool:
        """Does it run, as far as Docker knows?"""
        return self._state.get("Status") == "running"

    @property
    def headline(self) -> str:
        """The state of the container."""
        return f"the {self.title} is {self._state.get('Status', 'unknown')}."

    def facts(self) -> Facts:
        """The container and its image."""
        container = self._container or {}
        name, since = str(container.get("Name", "")).lstrip("/"), str(self._state.get("StartedAt", ""))[:19]
        health = self._state.get("Health", {}).get("Status", "unknown")
        restarts = container.get("RestartCount", 0)
        state = f"{name}, since {since.replace('T', ' ')} UTC, Docker's health check says {health}, {restarts} restarts"
        return [("container", state), ("image", self._image), ("log", shell_command("docker", "logs", name))]

    def preflight(self) -> Iterable[PreflightFinding]:
        """Nothing: the stack's servers are those of the platform, and they are checked anyway."""
        return ()

    def deploy(self, use_case: UseCase) -> CommandResult:
        """Build an image of the champion and the variants beside it, and let Compose's service answer with it."""
        with one_at_a_time("deploy", Workspace(use_case.name)):
            if not compose_platform.known_settings():
                file = compose_platform.settings_file()
                raise NoriaError(
                    "there is no platform here", code="platform.missing", where=str(file), fix="make platform"
                )
            plan = champion_plan(self._target.stack, use_case)
            image = build_image(plan, f"noria-{use_case.name}:{image_tag(plan)}".lower())
            progress.stage("image", f"{image}")
            url, _ = compose_platform.serve(image)
            progress.stage("service", f"{url}")
        champion = Bundle.open(plan.champion.bundle)
        return CommandResult(
            f"Version {champion.manifest.version} ({champion.manifest.kind}) answers at {url}.",
            [*variant_facts(plan), ("image", image), ("tokens", compose_platform.settings_file())],
            [
                *curl_commands(url, champion, use_case, token_in_shell()),
                run_py("status"),
            ],
        )

    def change_traffic(self, use_case: UseCase, request: TrafficRequest) -> CommandResult:
        """Let the service itself change shares and a policy; it keeps them until it gets another image."""
        self._require_deployed()
        if self.address is None or request.shadow or request.canary:
            raise self._not_changeable()
        with self.address.client() as client:
            done = [client.change_shares(request.shares)] if request.shares else []
            done += [client.change_policy(request.policy, request.of)] if request.policy else []
        facts: Facts = [("before", done[0].before), ("now", done[-1].now), ("service", self.address.url)]
        if request.policy:
            facts.append(("policy", ", ".join(f"{key} {value:g}" for key, value in request.policy.items())))
        return CommandResult(f"{use_case.name}: {done[-1].now}.", facts, [run_py("traffic")])

    def stop_question(self) -> str:
        """What `stop` removes and what it keeps."""
        return f"This stops the {self.title} ({self._image}). {_VOLUME_STAYS}"

    def _restore_previous(self) -> tuple[str, Facts]:
        previous = compose_platform.known_settings().get(compose_platform.IMAGE_BEFORE, "")
        if not previous:
            raise NoriaError(
                "there is nothing to take back: no other image has answered",
                code="deployment.nothing_to_roll_back",
                where=self.title,
                fix='name the one that should: make platform ARGS="serve --image NAME"',
            )
        before = self._image
        url, now = compose_platform.serve(previous)
        return f"The image before answers at {url}.", [("before", before), ("now", now)]

    def _remove(self) -> Facts:
        image = self._image
        compose_platform.compose("--profile", "service", "rm", "--stop", "--force", "service")
        return [
            ("service", f"{self.title}, {image}"),
            ("spool", _VOLUME_STAYS),
            ("platform", "make platform ARGS=down"),
        ]

    @property
    def _image(self) -> str:
        return str((self._container or {}).get("Config", {}).get("Image", "unknown"))

    @property
    def _state(self) -> dict[str, Any]:
        return dict((self._container or {}).get("State", {}))

    @cached_property
    def _container(self) -> dict[str, Any] | None:
        """What Docker says of the container; None: there is none."""
        return compose_platform.service_container() if compose_platform.known_settings() else None


def token_in_shell() -> str:
    """What a shell reads as the token for predictions, within double quotes."""
    return f"$({shell_command('sed', '-n', 's/^NORIA_PREDICT_TOKEN=//p', compose_platform.settings_file())})"
