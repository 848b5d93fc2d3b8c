"""`rollback`: put back what answered before the last change."""

from app.command_result import CommandResult
from app.serving.backend import backend_of
from noria.config import UseCase


def rollback(use_case: UseCase, stack: str | None) -> CommandResult:
    """Put back what answered before the last change.

    Raises:
        NoriaError: no service runs, there is nothing to take back, or it cannot be put back.
    """
    return backend_of(stack).rollback(use_case)
