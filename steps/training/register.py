"""Enter the outcome in the registries."""

from typing import Annotated

from zenml import get_step_context, log_metadata, step
from zenml.enums import ModelStages

from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.results import GateVerdict
from noria.system import progress
from noria.system.signals import defer_signals
from steps.shared.champion import PROMOTED
from steps.shared.failures import alert_on_failure
from steps.shared.mlflow_tracking import register_version, set_alias


@step(enable_cache=False, experiment_tracker=True, on_failure=alert_on_failure)
def register(
    challenger: Bundle, rules: Bundle, verdict: GateVerdict, use_case: UseCase
) -> Annotated[str, "registered_version"]:
    """ZenML's model version gets stage `production` and MLflow's the alias `champion`, if the gate promoted it."""
    version = get_step_context().model
    bundle = rules if verdict.promote == "rules" else challenger
    alias = "challenger" if verdict.promote == "none" else "champion"
    tags = {"kind": bundle.manifest.kind, "zenml_version": str(version.number), "verdict": verdict.reason[:5000]}
    number = register_version(use_case.name, bundle.folder, tags)
    with defer_signals():  # a champion in both registries or in neither
        set_alias(use_case.name, alias, number)
        if verdict.promote != "none":
            log_metadata({PROMOTED: verdict.promote}, infer_model=True)
            version.set_stage(ModelStages.PRODUCTION, force=True)
    progress.stage("register", f"version {version.number} ({bundle.manifest.kind}), MLflow version {number} is {alias}")
    return number
