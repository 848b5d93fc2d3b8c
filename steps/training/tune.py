"""Search better parameters."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.table import TableMaterializer
from noria.config import UseCase
from noria.system import progress
from noria.training.results import Leaderboard, TrialRecord
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure
from steps.shared.mlflow_tracking import log_child_run


@step(
    output_materializers={"tuned_out_of_fold": TableMaterializer},
    cache_policy=WITH_DOMAIN_CODE,
    experiment_tracker=True,
    on_failure=alert_on_failure,
)
def tune(
    train: pd.DataFrame, first: Leaderboard, out_of_fold: pd.DataFrame, use_case: UseCase
) -> tuple[Annotated[Leaderboard, "leaderboard"], Annotated[pd.DataFrame, "tuned_out_of_fold"]]:
    """Optuna on the training rows; every trial is a child run in MLflow."""
    from noria.training.leaderboard import tune_candidates

    metric = use_case.evaluation.metric

    def log_trial(trial: TrialRecord) -> None:
        metrics = {"seconds": trial.seconds} | ({metric: trial.value} if trial.value is not None else {})
        tags = {"noria.stage": "tune", "noria.state": trial.state}
        log_child_run(f"{trial.kind}, trial {trial.number}", trial.params, metrics, tags)

    leaderboard, tuned_scores = tune_candidates(train, first, out_of_fold, use_case, log_trial)
    shown = ", ".join(f"{score.kind} {score.mean:.3f}" for score in leaderboard.scores)
    progress.stage("tune", f"{len(leaderboard.trials)} trials: {shown}")
    return leaderboard, tuned_scores
