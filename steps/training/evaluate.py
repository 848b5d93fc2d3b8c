"""Touch the test rows, once."""

from typing import Annotated

import pandas as pd
from zenml import get_step_context, step

from materializers.bundle import BundleMaterializer
from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.results import EvaluationResult
from noria.system import progress
from steps.shared.failures import alert_on_failure
from steps.shared.judged_bundle import log_test_metrics, with_test_metrics

_BUNDLES = {"judged_challenger": BundleMaterializer, "judged_rules": BundleMaterializer}


@step(output_materializers=_BUNDLES, enable_cache=False, experiment_tracker=True, on_failure=alert_on_failure)
def evaluate(
    challenger: Bundle, rules: Bundle, test: pd.DataFrame, use_case: UseCase
) -> tuple[
    Annotated[EvaluationResult, "evaluation"],
    Annotated[Bundle, "judged_challenger"],
    Annotated[Bundle, "judged_rules"],
]:
    """Metrics with intervals, slices and mistakes; both bundles leave with their test metrics and their version."""
    from noria.evaluation.evaluate import evaluate as judge

    version = str(get_step_context().model.version)
    evaluation = judge(challenger, test, use_case, rules=rules)
    finished = with_test_metrics(challenger, evaluation.metrics, evaluation.rows, version)
    finished_rules = with_test_metrics(rules, evaluation.rules_metrics, evaluation.rows, version)
    log_test_metrics(evaluation)
    name = use_case.evaluation.metric
    metric = evaluation.metrics[name]
    progress.stage(
        "evaluate", f"{name} {metric.value:.3f} ({metric.low:.3f}–{metric.high:.3f}) on {len(test):,} test rows"
    )
    return evaluation, finished, finished_rules
