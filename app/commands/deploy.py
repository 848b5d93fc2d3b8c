"""`deploy`: serve the champion, or roll a running service over to it."""

from app.command_result import CommandResult
from app.serving.backend import backend_of
from noria.config import UseCase


def deploy(use_case: UseCase, stack: str | None) -> CommandResult:
    """Serve the champion where the stack says; the service outlives this process.

    Raises:
        NoriaError: there is no champion, or the service cannot be started; a running service continues unchanged.
    """
    return backend_of(stack).deploy(use_case)
