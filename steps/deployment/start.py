"""Start the service, or roll it over."""

from pathlib import Path
from typing import Annotated

from zenml import step

from noria import deployment
from noria.bundle import Bundle
from noria.config import UseCase
from noria.system import progress
from noria.system.workspace import Workspace
from steps.shared.failures import alert_on_failure
from steps.shared.serving_variants import serving_variants


@step(enable_cache=False, on_failure=alert_on_failure)
def start(champion: Bundle, bento: str, use_case: UseCase, image: str) -> Annotated[str, "service_url"]:
    """The address of the service, which is ready when the step ends; `image` is what it runs in, if in a container."""
    lineup = serving_variants(use_case, champion)
    running = deployment.start_or_roll(use_case, Workspace(use_case.name), Path(bento), champion, lineup, image=image)
    progress.stage("start", f"version {running.version} at {running.url} (process {running.pid})")
    for role in lineup if len(lineup) > 1 else ():
        part = "is a shadow" if role.shadow else f"answers {role.share:.1%} of the cases"
        progress.stage("variant", f"{role.name} (version {role.bundle.manifest.version}) {part}")
    return running.url
