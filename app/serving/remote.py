"""What backends share if Noria knows their service from outside only: a program and the service itself are asked."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from app.command_result import CommandResult, Facts, run_py
from app.serving.backend import Confirm, ServiceTarget
from app.serving.promotion import champion_result, find_candidate, make_champion, model_registries
from app.serving.service_probe import ServiceAddress, probe_service
from app.serving.traffic_request import TrafficRequest
from app.serving.traffic_summary import TRAFFIC_HELP
from app.stacks.definition import PreflightFinding
from noria import deployment as processes
from noria.config import UseCase
from noria.deployment.container_command import require_fast_form
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace

_HOW_TO_NAME = "with --url, or as `noria.url` in the stack's file"


class RemoteBackend(ABC):
    """A service whose traffic plan and models are in its image.

    A subclass says what is deployed, and how it is deployed, changed, restored and stopped.
    """

    is_local = False
    change_limit: str
    """What cannot be changed while the service runs, and why."""

    def __init__(self, target: ServiceTarget) -> None:
        self._target = target

    @property
    @abstractmethod
    def title(self) -> str:
        """What runs the service, such as "release `noria` in namespace `ml`"."""

    @property
    @abstractmethod
    def headline(self) -> str:
        """How the service does, in one sentence."""

    @property
    @abstractmethod
    def address(self) -> ServiceAddress | None:
        """Where this machine reaches the service, if that is known."""

    @property
    @abstractmethod
    def is_deployed(self) -> bool:
        """Is there anything, running or not?"""

    @property
    @abstractmethod
    def is_ready(self) -> bool:
        """Is it ready, as far as the program knows?"""

    @abstractmethod
    def facts(self) -> Facts:
        """What the program knows of it."""

    @abstractmethod
    def stop_question(self) -> str:
        """What `stop` removes and what it keeps."""

    @abstractmethod
    def preflight(self) -> Iterable[PreflightFinding]:
        """What would keep `deploy` from working."""

    @abstractmethod
    def deploy(self, use_case: UseCase) -> CommandResult:
        """Build an image of the champion and put it into service."""

    @abstractmethod
    def change_traffic(self, use_case: UseCase, request: TrafficRequest) -> CommandResult:
        """Change what can be changed there."""

    def url(self, use_case: UseCase) -> str:
        """The address of the service."""
        return self._require_address("the address of the service is not known").url

    def status(self, use_case: UseCase) -> CommandResult:
        """What the program knows of the service, and what the service says of itself."""
        local = _local_service(use_case)
        if not self.is_deployed:
            headline = f"{use_case.name} is not deployed: there is no {self.title}."
            return CommandResult(headline, local, [run_py("deploy")])
        ready, facts = self._probe(use_case)
        headline = f"{use_case.name}: {self.headline}"
        return CommandResult(headline, [*facts, *local], [run_py("monitor" if ready else "deploy")])

    def show_traffic(self, use_case: UseCase) -> CommandResult:
        """What the service says of its variants."""
        self._require_deployed()
        self._require_address("the service alone knows who answers, and its address is not known")
        _, facts = self._probe(use_case)
        return CommandResult(f"{use_case.name}: {self.headline}", facts, [TRAFFIC_HELP])

    def promote(self, use_case: UseCase, version: str | None, confirm: Confirm) -> CommandResult:
        """Change the registries only: the next `deploy` puts the new champion into service."""
        with model_registries(use_case, self._target.stack):
            bundle = find_candidate(use_case, version, confirm)
            require_fast_form([bundle])
            make_champion(use_case, bundle)
        return champion_result(bundle, "`deploy` builds its image")

    def rollback(self, use_case: UseCase) -> CommandResult:
        """Let the image before the last one answer; the registries stay as they are."""
        with exclusive("deploy", Workspace(use_case.name)):
            self._require_deployed()
            headline, facts = self._restore_previous()
        return CommandResult(headline, facts, [run_py("status")])

    def stop(self, use_case: UseCase, confirm: Confirm) -> CommandResult:
        """Stop the service once that is confirmed, since others may need it."""
        if not self.is_deployed:
            return CommandResult(f"Nothing was running there: there is no {self.title}.", [], [run_py("deploy")])
        if not confirm(self.stop_question()):
            raise NoriaError(
                "nothing was stopped: it was not confirmed",
                code="cli.not_confirmed",
                where=self.title,
                fix="answer y, or add --yes",
            )
        return CommandResult("Stopped.", self._remove(), [run_py("deploy")])

    @abstractmethod
    def _restore_previous(self) -> tuple[str, Facts]:
        """Let the image before the last one answer; the headline and the facts of that."""

    @abstractmethod
    def _remove(self) -> Facts:
        """Stop the service; what was stopped, and what stays."""

    def _require_deployed(self) -> None:
        if not self.is_deployed:
            raise NoriaError(
                f"no service is deployed: there is no {self.title}",
                code="deployment.not_deployed",
                fix="python run.py deploy",
            )

    def _require_address(self, problem: str) -> ServiceAddress:
        if self.address is None:
            raise NoriaError(
                problem, code="deployment.address_unknown", where=self.title, fix=f"name it {_HOW_TO_NAME}"
            )
        return self.address

    def _not_changeable(self) -> NoriaError:
        """The error that says what to do instead of changing the service while it runs."""
        return NoriaError(
            self.change_limit,
            code="deployment.not_changeable",
            where=self.title,
            fix="promote or train what should answer, then `python run.py deploy`; `python run.py rollback` goes back",
        )

    def _probe(self, use_case: UseCase) -> tuple[bool, Facts]:
        """Is the service ready, and all that can be known of it from here."""
        facts = self.facts()
        if self.address is None:
            return self.is_ready, [*facts, ("service", f"not asked: name its address {_HOW_TO_NAME}")]
        probe = probe_service(self.address, use_case.name)
        return not probe.unready, [*facts, *probe.facts]


def _local_service(use_case: UseCase) -> Facts:
    """A service of the same use case that also runs on this machine."""
    server = processes.read_state(Workspace(use_case.name))
    if server is None:
        return []
    return [("here, too", f"version {server.version} at {server.url}: {run_py('status --stack local')}")]
