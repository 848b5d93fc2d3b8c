"""`ServingBackend`: what every command needs of the place where the service runs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from app.command_result import CommandResult
from app.serving.registry import load_backend
from app.serving.traffic_request import TrafficRequest
from app.stacks import stacks
from app.stacks.active_stack import service_stack
from app.stacks.definition import PreflightFinding, StepsConfig
from noria.config import UseCase

Confirm = Callable[[str], bool]
"""Asks a person a question: true means yes."""


@dataclass(frozen=True)
class ServiceTarget:
    """Which service is meant."""

    stack: str
    """Name of the stack that it belongs to."""
    settings: StepsConfig
    """The section `noria` of the stack's file."""
    url: str | None = None
    """The address that was given on the command line."""


class ServingBackend(Protocol):
    """Where the service of a stack runs, and what the commands do with it there.

    A command finds the backend of its stack, calls one method and returns what that returns:

        backend = backend_of("kubernetes", url="https://churn.example.com")
        print(backend.status(use_case).headline)
        backend.change_traffic(use_case, TrafficRequest(shares={"challenger": 0.1}))
        backend.rollback(use_case)

    A backend is a class with these members that is created from a `ServiceTarget`. Creating it starts no other program
    and needs no environment variable. All methods raise a NoriaError for what the user can correct.
    """

    is_local: bool
    """Does the service run on this machine, so that `demo` may start and stop one?"""

    def preflight(self) -> Iterable[PreflightFinding]:
        """What would keep `deploy` from working; `stack check` shows it."""

    def url(self, use_case: UseCase) -> str:
        """The address of the service.

        Raises:
            NoriaError: no service is running, or its address is not known.
        """

    def deploy(self, use_case: UseCase) -> CommandResult:
        """Serve the champion, or roll a running service over to it without a failed request.

        Raises:
            NoriaError: there is no champion, or the service cannot be started; a running service continues unchanged.
        """

    def status(self, use_case: UseCase) -> CommandResult:
        """Whether the service is ready, which versions it serves, and its counts.

        Raises:
            NoriaError: the tool that knows cannot be asked. That nothing is deployed is a result, not an error.
        """

    def show_traffic(self, use_case: UseCase) -> CommandResult:
        """Which variant answers which share of the cases.

        Raises:
            NoriaError: no service is deployed, or it cannot be asked.
        """

    def change_traffic(self, use_case: UseCase, request: TrafficRequest) -> CommandResult:
        """Change shares, shadows, the canary or a decision policy.

        Raises:
            NoriaError: no service is deployed, the request does not fit it, or this backend cannot do that; then
                nothing has changed.
        """

    def promote(self, use_case: UseCase, version: str | None, confirm: Confirm) -> CommandResult:
        """Make a version the champion in the model registries and, where this is possible, in the running service.

        Args:
            use_case: whose champion.
            version: its number, or `rules`; None: the challenger that answers, or else the newest version.
            confirm: is asked before a version that the gate did not let through is promoted.

        Raises:
            NoriaError: there is no such version, it is disqualified, it was not confirmed, or the service cannot answer
                with it; then nothing has changed.
        """

    def rollback(self, use_case: UseCase) -> CommandResult:
        """Restore what answered before the last change.

        Raises:
            NoriaError: no service is deployed, there is nothing to restore, or it cannot be restored.
        """

    def stop(self, use_case: UseCase, confirm: Confirm) -> CommandResult:
        """Stop the service; without facts in the result, none was running.

        Args:
            use_case: whose service.
            confirm: is asked before a service is stopped that others may need.

        Raises:
            NoriaError: it was not confirmed, or the service cannot be stopped.
        """


def backend_of(stack: str | None, url: str | None = None) -> ServingBackend:
    """The backend of a stack's service.

    Args:
        stack: its name; None: the stack in use.
        url: the address of the service, where it is not known by other means.

    Raises:
        NoriaError: there is no such stack, its file is wrong, or the backend needs no address.
    """
    name = service_stack(stack)
    return create_backend(ServiceTarget(name, stacks.running_on(name), url))


def create_backend(target: ServiceTarget) -> ServingBackend:
    """The backend that the stack's file names.

    Raises:
        NoriaError: the backend needs no address, and one was given.
    """
    backend: ServingBackend = load_backend(target.settings.service)(target)
    return backend
