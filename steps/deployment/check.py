"""Ask the running service for a real prediction."""

from typing import Annotated

from zenml import step

from noria import deployment, progress
from noria.bundle import Bundle
from noria.config import UseCase
from noria.errors import NoriaError
from noria.workspace import Workspace
from steps.shared.failures import alert_on_failure


@step(enable_cache=False, on_failure=alert_on_failure)
def check(champion: Bundle, service_url: str, use_case: UseCase) -> Annotated[bool, "healthy"]:
    """A real example row over HTTP must get the same answer as in this process."""
    running = deployment.state(Workspace(use_case.name))
    if running is None:
        raise NoriaError("the service stopped right after it started", where=service_url, fix="look at its log")
    deployment.smoke_test(running, champion)
    progress.stage("check      a real row gets the same answer over HTTP as in process")
    return True
