"""Start the service, or roll it over."""

from pathlib import Path
from typing import Annotated

from zenml import step

from noria import deployment, progress
from noria.bundle import Bundle
from noria.config import UseCase
from noria.workspace import Workspace
from steps.shared.failures import alert_on_failure


@step(enable_cache=False, on_failure=alert_on_failure)
def start(champion: Bundle, bento: str, use_case: UseCase) -> Annotated[str, "service_url"]:
    """The address of the service, which is ready when the step ends."""
    running = deployment.start_or_roll(use_case, Workspace(use_case.name), Path(bento), champion)
    progress.stage(f"start      version {running.version} at {running.url} (process {running.pid})")
    return running.url
