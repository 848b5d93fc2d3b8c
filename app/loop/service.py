"""The running service, as the loop changes it: through the same commands that a person types."""

from typing import Protocol

from app.serving.backend import ServingBackend, backend_of
from app.serving.traffic_request import TrafficRequest
from noria import deployment as processes
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment.audit import recent_changes
from noria.system.workspace import Workspace
from noria.traffic.activation import TrafficPlan


class LoopService(Protocol):
    """What the loop needs of a service. Each change fails as a whole or is made as a whole."""

    def plan(self) -> TrafficPlan:
        """What answers now.

        Raises:
            NoriaError: no service is running.
        """

    def is_rules(self) -> bool:
        """Whether rules are the champion."""

    def error_rate(self, version: str) -> float | None:
        """Share of its rows that a version failed to answer since the last change; None: it was asked nothing."""

    def shadow(self, version: str) -> None:
        """Make a version a shadow."""

    def canary(self, version: str) -> None:
        """Begin a canary with a version."""

    def withdraw(self, version: str) -> None:
        """Take a challenger out; the champion takes its share."""

    def promote(self, version: str) -> None:
        """Make a version, or `rules`, the champion in the registries and in the service."""

    def roll_back(self) -> None:
        """Restore what answered before the last change."""

    def last_change(self) -> str:
        """What changed last, and why; empty: nothing is known."""


class LocalService:
    """A service whose traffic plan this machine can change while it runs."""

    def __init__(self, use_case: UseCase, stack: str | None) -> None:
        self._use_case = use_case
        self._workspace = Workspace(use_case.name)
        self._backend: ServingBackend = backend_of(stack)

    def plan(self) -> TrafficPlan:
        """What answers now."""
        return processes.current_plan(self._workspace, processes.running_server(self._workspace))

    def is_rules(self) -> bool:
        """Whether rules are the champion."""
        return Bundle.open(self.plan().champion.bundle).manifest.kind == "rules"

    def error_rate(self, version: str) -> float | None:
        """Share of its rows that a version failed to answer since the last change."""
        variants = processes.service_status(self._workspace).variants
        return next((each.error_rate for each in variants[1:] if each.variant.version == version), None)

    def shadow(self, version: str) -> None:
        """Make a version a shadow."""
        self._backend.change_traffic(self._use_case, TrafficRequest(shadow=self._name(version)))

    def canary(self, version: str) -> None:
        """Begin a canary with a version."""
        self._backend.change_traffic(self._use_case, TrafficRequest(canary=self._name(version)))

    def withdraw(self, version: str) -> None:
        """Take a challenger out."""
        self._backend.change_traffic(self._use_case, TrafficRequest(shares={self._name(version): 0.0}))

    def promote(self, version: str) -> None:
        """Make a version, or `rules`, the champion; one that the gate did not let through is refused."""
        self._backend.promote(self._use_case, version, lambda question: False)

    def roll_back(self) -> None:
        """Restore what answered before the last change."""
        self._backend.rollback(self._use_case)

    def last_change(self) -> str:
        """What changed last, and why."""
        return next(iter(recent_changes(self._workspace.predictions_url, limit=1)), "")

    def _name(self, version: str) -> str:
        """The variant of a version, which may answer under another name already."""
        return next((each.name for each in self.plan().variants[1:] if each.version == version), version)
