"""`promote`: another champion, in the registries and in the running service."""

from app.commands.result import CommandResult
from app.serving.backend import backend_of
from noria.config import UseCase


def promote(use_case: UseCase, version: str | None, stack: str | None) -> CommandResult:
    """Make a version the champion, in the registries and in the service, if one runs.

    Raises:
        NoriaError: there is no such version, or the service cannot answer with it; then nothing has changed.
    """
    return backend_of(stack).promote(use_case, version)
