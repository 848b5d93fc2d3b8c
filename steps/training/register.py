"""Register the outcome in ZenML and MLflow."""

from typing import Annotated

from zenml import get_step_context, step

from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.results import GateVerdict
from noria.system import progress
from steps.shared.failures import alert_on_failure
from steps.shared.mlflow_tracking import register_version, set_alias
from steps.shared.model_versions import promote_version


@step(enable_cache=False, experiment_tracker=True, on_failure=alert_on_failure)
def register(
    challenger: Bundle, rules: Bundle, verdict: GateVerdict, use_case: UseCase, hold: bool = False
) -> Annotated[str, "registered_version"]:
    """The registries receive the bundle; it becomes the champion if the gate promoted it, else the challenger.

    With `hold` it stays the challenger in any case, until `promote`.
    """
    version = get_step_context().model
    bundle = rules if verdict.promote == "rules" else challenger
    tags = {"kind": bundle.manifest.kind, "zenml_version": str(version.number), "verdict": verdict.reason[:5000]}
    number = register_version(use_case.name, bundle.folder, tags, version.number)
    if verdict.promote == "none" or hold:
        alias = "challenger"
        if number:
            set_alias(use_case.name, alias, number)
    else:
        alias = "champion"
        promote_version(use_case.name, version.number, verdict.promote)
    kind = bundle.manifest.kind
    other = f" (MLflow calls it version {number})" if number not in ("", str(version.number)) else ""
    progress.stage("register", f"version {version.number} ({kind}) is {alias}{other}")
    return str(version.number)
