"""A serving backend in one file: it deploys nothing and keeps what it was asked to do."""

from collections.abc import Iterable

from app.command_result import CommandResult, run_py
from app.serving.backend import Confirm, ServiceTarget
from app.serving.traffic_request import TrafficRequest
from app.stacks.definition import PreflightFinding
from noria.config import UseCase

CALLS: list[str] = []


class LoggingBackend:
    """Every method adds a line to `CALLS`."""

    is_local = False

    def __init__(self, target: ServiceTarget) -> None:
        self._target = target

    def preflight(self) -> Iterable[PreflightFinding]:
        yield PreflightFinding("noria.service: nothing is logged", "log it")

    def url(self, use_case: UseCase) -> str:
        return self._target.url or "http://127.0.0.1:1"

    def deploy(self, use_case: UseCase) -> CommandResult:
        return self._result(f"deploy {use_case.name}")

    def status(self, use_case: UseCase) -> CommandResult:
        return self._result(f"status of {self.url(use_case)}")

    def show_traffic(self, use_case: UseCase) -> CommandResult:
        return self._result("show traffic")

    def change_traffic(self, use_case: UseCase, request: TrafficRequest) -> CommandResult:
        return self._result(f"change traffic: {request.description}")

    def promote(self, use_case: UseCase, version: str | None, confirm: Confirm) -> CommandResult:
        return self._result(f"promote {version}")

    def rollback(self, use_case: UseCase) -> CommandResult:
        return self._result("rollback")

    def stop(self, use_case: UseCase, confirm: Confirm) -> CommandResult:
        if not confirm("This stops the log."):
            return CommandResult("The log goes on.", [])
        return self._result("stop")

    def _result(self, call: str) -> CommandResult:
        CALLS.append(f"{self._target.stack}: {call}")
        return CommandResult(f"Logged: {call}.", [("call", call)], [run_py("status")])
