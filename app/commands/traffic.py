"""`traffic`: who answers which share of the cases; other shares, a shadow, a canary, another decision policy."""

from app.command_result import CommandResult
from app.serving.backend import backend_of
from app.serving.traffic_request import TrafficRequest
from noria.config import UseCase

__all__ = ["TrafficRequest", "change_traffic", "show_traffic"]


def show_traffic(use_case: UseCase, stack: str | None = None, url: str | None = None) -> CommandResult:
    """Who answers now.

    Raises:
        NoriaError: no service runs, or it or the prediction store cannot be asked.
    """
    return backend_of(stack, url).show_traffic(use_case)


def change_traffic(
    use_case: UseCase, request: TrafficRequest, stack: str | None, url: str | None = None
) -> CommandResult:
    """Let a running service answer as requested, without a failed request.

    Raises:
        NoriaError: no service runs, or the request does not fit it; then nothing has changed.
    """
    return backend_of(stack, url).change_traffic(use_case, request)
