"""Ask the running service for a real prediction."""

from typing import Annotated

from zenml import step

from noria import deployment
from noria.bundle import Bundle
from noria.config import UseCase
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from steps.shared.failures import alert_on_failure


@step(enable_cache=False, on_failure=alert_on_failure)
def check(service_url: str, use_case: UseCase) -> Annotated[bool, "healthy"]:
    """Every variant must answer example rows over HTTP as its bundle does in this process."""
    workspace = Workspace(use_case.name)
    running = deployment.read_state(workspace)
    if running is None:
        raise NoriaError(
            "the service stopped right after it started",
            code="deployment.server_died",
            where=service_url,
            fix="look at its log",
        )
    variants = deployment.current_plan(workspace, running).variants
    for variant in variants:
        deployment.smoke_test(running, Bundle.load(variant.bundle), variant)
    progress.stage("check", "an example gets the same answer over HTTP as in process")
    return True
