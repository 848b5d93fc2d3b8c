"""`promote`: another champion, in the registries and in the running service."""

from app.command_result import CommandResult
from app.serving.backend import Confirm, backend_of
from noria.config import UseCase


def promote(use_case: UseCase, version: str | None, stack: str | None, confirm: Confirm) -> CommandResult:
    """Make a version the champion, in the registries and in the service, if one runs.

    Args:
        use_case: whose champion.
        version: its number, or `rules`; None: the challenger.
        stack: whose registries and service; None: those of the stack in use.
        confirm: is asked before a version that the gate did not let through is promoted.

    Raises:
        NoriaError: there is no such version, it is disqualified, it was not confirmed, or the service cannot answer
            with it; then nothing has changed.
    """
    return backend_of(stack).promote(use_case, version, confirm)
