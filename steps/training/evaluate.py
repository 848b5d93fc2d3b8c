"""Touch the test rows, once."""

from typing import Annotated

import pandas as pd
from zenml import get_step_context, log_metadata, step

from materializers.bundle import BundleMaterializer
from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.results import EvaluationResult
from noria.system import progress
from noria.system.files import scratch_folder
from steps.shared.failures import alert_on_failure

_BUNDLES = {"challenger": BundleMaterializer, "rules": BundleMaterializer}


@step(output_materializers=_BUNDLES, enable_cache=False, experiment_tracker=True, on_failure=alert_on_failure)
def evaluate(
    challenger: Bundle, rules: Bundle, test: pd.DataFrame, use_case: UseCase
) -> tuple[
    Annotated[EvaluationResult, "evaluation"],
    Annotated[Bundle, "challenger"],
    Annotated[Bundle, "rules"],
]:
    """Metrics with intervals, slices and mistakes; both bundles leave with their test metrics and their version."""
    import mlflow

    from noria.bundle.writer import revise_bundle
    from noria.evaluation.evaluate import evaluate as judge

    version = str(get_step_context().model.version)
    folder = scratch_folder()
    evaluation = judge(challenger, test, use_case, rules=rules)
    finished = revise_bundle(challenger, folder / "challenger", version=version, metrics=evaluation.metrics)
    finished_rules = revise_bundle(rules, folder / "rules", version=version, metrics=evaluation.rules_metrics)
    metrics = {name: metric.value for name, metric in evaluation.metrics.items()}
    mlflow.log_metrics({f"test_{name}": value for name, value in metrics.items()})
    log_metadata({f"test_{name}": value for name, value in metrics.items()}, infer_model=True)
    name = use_case.evaluation.metric
    metric = evaluation.metrics[name]
    progress.stage(
        "evaluate", f"{name} {metric.value:.3f} ({metric.low:.3f}–{metric.high:.3f}) on {len(test):,} test rows"
    )
    return evaluation, finished, finished_rules
