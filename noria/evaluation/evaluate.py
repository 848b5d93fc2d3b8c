"""Evaluation: how a bundle did on the test rows, beside the rules and doing nothing."""

import numpy as np
import pandas as pd

from noria.bundle import Bundle, MetricValue
from noria.config import UseCase
from noria.evaluation.error_analysis import worst_errors
from noria.evaluation.policy_comparison import compare_policy, do_nothing
from noria.evaluation.results import CalibrationBin, EvaluationResult
from noria.evaluation.scored_predictions import ScoredPredictions, score_rows
from noria.evaluation.slices import slices

__all__ = ["EvaluationResult", "evaluate"]
_BINS = 10


def evaluate(bundle: Bundle, test: pd.DataFrame, use_case: UseCase, rules: Bundle | None = None) -> EvaluationResult:
    """Judge a bundle on test rows, which nothing before may have seen.

    Args:
        bundle: the model.
        test: n rows with their target.
        use_case: names metric, worths and slices.
        rules: the bundle of the rule baseline, to be shown beside it.

    Raises:
        NoriaError: an input column is missing, or no row can be answered.
    """
    judged = score_rows(bundle, test, use_case)
    of_rules = score_rows(rules, test, use_case) if rules is not None else None
    near = _near(of_rules or judged)
    usual = _usual(bundle, use_case)
    metrics = judged.metrics()
    rules_metrics = of_rules.metrics() if of_rules else {}
    approaches = [compare_policy(judged, metrics, "model", near)]
    if of_rules is not None:
        approaches.append(compare_policy(of_rules, rules_metrics, "rules", near, judged))
    idle = do_nothing(judged, usual)
    approaches.append(compare_policy(idle, _metrics_of_nothing(idle), "nothing", near, judged))
    off = np.abs(judged.scores - judged.truth.astype(np.float64)) if near is not None else None
    return EvaluationResult(
        name=use_case.name,
        version=bundle.manifest.version,
        kind=bundle.manifest.kind,
        task=bundle.manifest.task,
        rows=len(judged.truth),
        fit_rows=bundle.manifest.learned.rows if bundle.manifest.learned else None,
        window=bundle.manifest.window,
        unusable=judged.unusable,
        metric=use_case.evaluation.metric,
        metrics=metrics,
        rules_metrics=rules_metrics,
        rules_mined=use_case.rules.source == "mined",
        approaches=approaches,
        near=near,
        typical_error=None if off is None else float(np.median(off)),
        large_error=None if off is None else float(np.quantile(off, 0.9)),
        usual=usual,
        classes=bundle.manifest.classes,
        confusion=_confusion(judged),
        slices=slices(judged, of_rules),
        calibration=_calibration(judged),
        mistakes=worst_errors(judged),
    )


def _near(judged: ScoredPredictions) -> float | None:
    """The tolerance that the use case names; without one, what half of the rules' answers stay within."""
    problem = judged.use_case.problem
    if problem.task != "regression":
        return None
    off = np.abs(judged.scores - judged.truth.astype(np.float64))
    return problem.worth.tolerance or float(np.median(off))


def _usual(bundle: Bundle, use_case: UseCase) -> str | float | None:
    task = use_case.problem.task
    if task == "binary":
        return None
    truth = bundle.reference()[use_case.data.target]
    return float(truth.median()) if task == "regression" else str(truth.mode().iloc[0])


def _metrics_of_nothing(idle: ScoredPredictions) -> dict[str, MetricValue]:
    # leaving everything alone gives no probabilities to be judged
    return idle.metrics("worth") if idle.use_case.problem.task == "binary" else idle.metrics()


def _confusion(judged: ScoredPredictions) -> list[list[float]]:
    if judged.use_case.problem.task != "multiclass":
        return []
    classes = np.array(judged.bundle.manifest.classes)
    predicted = judged.table["prediction"].to_numpy(dtype=str)
    return [[float(1000 * np.mean((judged.truth == t) & (predicted == p))) for p in classes] for t in classes]


def _calibration(judged: ScoredPredictions) -> list[CalibrationBin]:
    task = judged.use_case.problem.task
    if task == "regression":
        predicted, observed = judged.scores, judged.truth.astype(np.float64)
    elif task == "binary":
        positive = judged.truth == judged.bundle.manifest.positive
        predicted, observed = judged.scores, np.asarray(positive, dtype=np.float64)
    else:
        right = judged.truth == judged.table["prediction"].to_numpy(dtype=str)
        predicted, observed = judged.scores.max(axis=1), np.asarray(right, dtype=np.float64)
    cut = pd.qcut(predicted, _BINS, labels=False, duplicates="drop")
    # one score for all rows cannot be cut
    bins = np.nan_to_num(np.asarray(cut, dtype=np.float64))
    return [
        CalibrationBin(
            rows=int(rows.sum()), predicted=float(predicted[rows].mean()), observed=float(observed[rows].mean())
        )
        for rows in (bins == number for number in np.unique(bins))
    ]
