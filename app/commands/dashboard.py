"""`dashboard`: start the dashboards of ZenML, MLflow and Evidently."""

from app.commands.result import CommandResult, run_py
from app.servers.dashboards import start_dashboards
from noria.config import UseCase


def dashboard(use_case: UseCase) -> CommandResult:
    """Start the dashboards, or find them running.

    Raises:
        NoriaError: one of them does not start.
    """
    running = start_dashboards(use_case)
    facts = [(each.name, each.url) for each in running]
    return CommandResult("The dashboards are running.", [*facts], [f"{run_py('stop')}   (stops them again)"])
