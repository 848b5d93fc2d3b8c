"""Fetch the promoted bundle."""

from typing import Annotated

from zenml import step

from materializers.bundle import BundleMaterializer
from noria.bundle import Bundle
from noria.bundle.qualification import disqualification, require_qualified
from noria.config import UseCase
from noria.system import progress
from steps.shared.champion import require_champion
from steps.shared.failures import alert_on_failure


@step(output_materializers=BundleMaterializer, enable_cache=False, on_failure=alert_on_failure)
def champion(use_case: UseCase, *, for_service: bool = False) -> Annotated[Bundle, "champion"]:
    """The bundle of the model version in stage `production`.

    One that is disqualified is refused if it is to go into service; elsewhere there is a warning.
    """
    bundle = require_champion(use_case.name)
    if for_service:
        require_qualified(bundle, use_case)
    elif why := disqualification(bundle, use_case):
        progress.warn(why)
    progress.stage("champion", f"version {bundle.manifest.version} ({bundle.manifest.kind})")
    return bundle
