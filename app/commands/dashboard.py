"""`dashboard`: start the dashboards of ZenML, MLflow and Evidently."""

from app.command_result import CommandResult, run_py
from app.servers.dashboards import start_dashboards
from noria.config import UseCase


def dashboard(use_case: UseCase) -> CommandResult:
    """Start the dashboards, or find them running.

    Raises:
        NoriaError: one of them does not start.
    """
    facts = start_dashboards(use_case)
    return CommandResult("The dashboards are running.", [*facts], [f"{run_py('stop')}   (stops them again)"])
