"""Cross-validate the rules and every candidate as configured."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.table import TableMaterializer
from noria.config import UseCase
from noria.system import progress
from noria.training.results import Leaderboard
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure
from steps.shared.mlflow_tracking import log_child_run


@step(
    output_materializers={"out_of_fold": TableMaterializer},
    cache_policy=WITH_DOMAIN_CODE,
    experiment_tracker=True,
    on_failure=alert_on_failure,
)
def train_candidates(
    train: pd.DataFrame, use_case: UseCase
) -> tuple[Annotated[Leaderboard, "first_leaderboard"], Annotated[pd.DataFrame, "out_of_fold"]]:
    """Scores of all candidates before tuning, each a child run in MLflow."""
    from noria.training.leaderboard import score_candidates

    leaderboard, out_of_fold = score_candidates(train, use_case)
    for score in leaderboard.scores:
        metrics = {score.metric: score.mean, "standard_error": score.standard_error, "latency_ms": score.latency_ms}
        log_child_run(f"{score.kind}, as configured", score.params, metrics, {"noria.stage": "train_candidates"})
    shown = ", ".join(f"{score.kind} {score.mean:.3f}" for score in leaderboard.scores)
    progress.stage("train", f"{use_case.evaluation.metric} in {use_case.models.folds}-fold cross-validation: {shown}")
    return leaderboard, out_of_fold
