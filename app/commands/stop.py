"""`stop`: stop the service of a use case, and the dashboards."""

from app.commands.result import CommandResult, Facts, run_py
from app.serving import backend
from app.serving.backend import Confirm, place_of
from noria import deployment as processes
from noria.config import UseCase
from noria.system.workspace import Workspace


def stop(use_case: UseCase, stack: str | None, confirm: Confirm) -> CommandResult:
    """Stop the service of a stack and the dashboards.

    Args:
        use_case: what is served.
        stack: whose service; None: that of the stack in use.
        confirm: asked with what goes and what stays, where others may need a service that runs elsewhere.

    Raises:
        NoriaError: it was not confirmed, or something cannot be stopped.
    """
    from app.servers.dashboards import stop_dashboards

    place = place_of(stack)
    stopped = stop_here(use_case) if place is None else backend.stop(place, confirm)
    stopped += [(each.name, each.url) for each in stop_dashboards()]
    where = "on this machine" if place is None else f"there: there is no {place.title}"
    return CommandResult("Stopped." if stopped else f"Nothing was running {where}.", stopped, [run_py("deploy")])


def stop_here(use_case: UseCase) -> Facts:
    """Stop the service on this machine; says what was running."""
    workspace = Workspace(use_case.name)
    running = processes.read_state(workspace)
    if not processes.stop(workspace):
        return []
    what = f"{running.url} (process {running.pid})" if running else "a server of which nothing else was known"
    return [("service", what)]
