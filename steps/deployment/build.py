"""Build the Bento."""

from typing import Annotated

from zenml import step

from noria.bundle import Bundle
from noria.config import UseCase
from noria.system import progress
from noria.system.workspace import Workspace
from service.bento_build import build_bento
from steps.shared.failures import alert_on_failure


@step(enable_cache=False, on_failure=alert_on_failure)
def build(champion: Bundle, use_case: UseCase) -> Annotated[str, "bento"]:
    """The folder of a Bento that holds the service, `noria/` and the bundle."""
    bento = build_bento(champion, Workspace(use_case.name))
    progress.stage("build", f"{bento}")
    return str(bento)
