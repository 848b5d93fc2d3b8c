"""Fetch the promoted bundle."""

from typing import Annotated

from zenml import step

from materializers.bundle import BundleMaterializer
from noria.bundle import Bundle
from noria.system import progress
from steps.shared.champion import require_champion
from steps.shared.failures import alert_on_failure


@step(output_materializers=BundleMaterializer, enable_cache=False, on_failure=alert_on_failure)
def champion(use_case_name: str) -> Annotated[Bundle, "champion"]:
    """The bundle of the model version in stage `production`."""
    bundle = require_champion(use_case_name)
    progress.stage("champion", f"version {bundle.manifest.version} ({bundle.manifest.kind})")
    return bundle
