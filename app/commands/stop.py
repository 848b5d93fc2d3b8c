"""`stop`: stop the service of a use case, and its dashboards."""

from dataclasses import replace

from app.command_result import CommandResult
from app.serving.backend import Confirm, backend_of
from noria.config import UseCase


def stop(use_case: UseCase, stack: str | None, confirm: Confirm) -> CommandResult:
    """Stop the service of a stack, and the dashboards that no other use case has asked for.

    Args:
        use_case: what is served.
        stack: whose service; None: that of the stack in use.
        confirm: is asked before a service is stopped that others may need, with what goes and what stays.

    Raises:
        NoriaError: it was not confirmed, or something cannot be stopped.
    """
    from app.servers.dashboards import stop_dashboards

    service = backend_of(stack).stop(use_case, confirm)
    facts = [*service.facts, *((each.name, each.url) for each in stop_dashboards(use_case.name))]
    return replace(service, headline="Stopped." if facts else service.headline, facts=facts)
