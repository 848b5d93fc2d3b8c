"""What a metric is a mean of, case by case, so that two variants can be compared as their labels come."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.config.problem import Problem

if TYPE_CHECKING:
    from noria.metrics.sequential import Comparison
    from noria.predictions.records import VariantStatistics

Floats = NDArray[np.float64]
_LEAST = 1e-3  # in log_loss a smaller probability counts as this one, so that what a case can lose has a bound
_RANKING = ("roc_auc", "average_precision")
_MEANS = ("accuracy", "brier", "log_loss", "mae", "worth")


def compare_gains(
    problem: Problem, metric: str, champion: "VariantStatistics", challenger: "VariantStatistics", confidence: float
) -> "Comparison":
    """The challenger (second) beside the champion (first); greater is better for every metric.

    Rankings (roc_auc, and average_precision with it) are compared by pairs that are ranked correctly; f1_macro by
    accuracy, r2 and rmse by squared errors; the others by what each case loses or brings in.
    """
    from noria.metrics.sequential import auc_differences, compare, mean_differences

    both = (champion, challenger)
    order = np.argsort(np.concatenate([_positions(facts) for facts in both]), kind="stable")
    second = np.repeat([False, True], [len(facts.labels) for facts in both])[order]
    bound: float | None = 1.0
    if metric in _RANKING:
        hit, scores = (np.concatenate(part)[order] for part in zip(*map(_hits(problem), both), strict=True))
        differences = auc_differences(hit.astype(bool), scores, second)
    else:
        gains = np.concatenate([_gains(problem, metric, facts) for facts in both])[order]
        limits = _limits(problem, metric)
        differences, bound = mean_differences(gains, second), None if limits is None else limits[1] - limits[0]
        if bound == 0:
            differences, bound = np.zeros(0), 1.0  # nothing is at stake
    return compare(differences, cases=len(order), bound=bound, confidence=confidence)


def planned_labels(
    problem: Problem, metric: str, known: "VariantStatistics", difference: float, share: float
) -> int | None:
    """About how many labels of both variants find a difference of the metric, with a chance of 80 %.

    Args:
        problem: what is predicted, and what it is worth.
        metric: the metric, in whose units `difference` is; worth is that of 1,000 cases.
        known: labelled answers of the champion, such as those of its reference rows.
        difference: the difference to be found, above 0.
        share: share of the cases of both that the challenger answers.

    Returns:
        None where it cannot be said: the metric is no mean over cases, or all known cases are alike.
    """
    from noria.metrics.sequential import planned_cases

    if metric == "roc_auc":
        hit, scores = _hits(problem)(known)
        deviation = _ranking_deviation(hit, scores)
    elif metric in _MEANS:
        deviation = float(_gains(problem, metric, known).std()) if known.labels else 0.0
        deviation *= 1000 if metric == "worth" else 1
    else:
        return None
    return planned_cases(difference, deviation, share=share) if deviation > 0 else None


def _ranking_deviation(hit: NDArray[np.bool_], scores: Floats) -> float:
    """The standard error of ROC AUC times the root of the rows (J. A. Hanley and B. J. McNeil, 1982)."""
    from noria.metrics.weighted_statistics import binary

    rows, hits = len(hit), float(hit.mean()) if len(hit) else 0.0
    area = float(binary(hit, scores)["roc_auc"](np.ones((1, rows)))[0])
    if not 0 < hits < 1 or not 0 < area < 1:
        return 0.0
    one, two = area / (2 - area) - area**2, 2 * area**2 / (1 + area) - area**2
    return float(np.sqrt(one / (1 - hits) + two / hits))


def _positions(facts: "VariantStatistics") -> Floats:
    """(n,) where each label stands in time; evenly spread where the times are not known."""
    if facts.labelled_at:
        return np.array([at.timestamp() for at in facts.labelled_at], dtype=np.float64)
    return (np.arange(len(facts.labels)) + 0.5) / max(len(facts.labels), 1)


def _hits(problem: Problem) -> Any:
    from noria.tabular.label_text import as_labels

    positive = str(getattr(problem, "positive", ""))
    return lambda facts: (as_labels(facts.labels) == positive, _numbers(facts.probabilities))


def _gains(problem: Problem, metric: str, facts: "VariantStatistics") -> Floats:
    """(n,) what each case adds to the metric, larger being better."""
    from noria.metrics import decision_value
    from noria.tabular.label_text import as_labels

    if problem.task == "regression":
        truth, predicted = _numbers(facts.labels), _numbers(facts.predictions)
        if metric == "worth":
            return decision_value.regression_worth(problem.worth, truth, predicted)
        errors = np.abs(predicted - truth)
        return np.asarray(-errors if metric == "mae" else -(errors**2), dtype=np.float64)
    if problem.task == "multiclass":
        labels, classes = as_labels(facts.labels), as_labels(facts.predictions)
        if metric == "worth":
            return decision_value.multiclass_worth(problem.worth, labels, classes)
        return np.asarray(labels == classes, dtype=np.float64)
    positive, probability = as_labels(facts.labels) == str(problem.positive), _numbers(facts.probabilities)
    if metric == "worth":
        chosen = decision_value.break_even_decisions(problem.worth, probability)
        return decision_value.binary_worth(problem.worth, positive, chosen)
    of_truth = np.where(positive, probability, 1 - probability)
    gains = np.log(np.maximum(of_truth, _LEAST)) if metric == "log_loss" else -((1 - of_truth) ** 2)
    return np.asarray(gains, dtype=np.float64)


def _limits(problem: Problem, metric: str) -> tuple[float, float] | None:
    """The smallest and the largest gain of a case; None: there is none."""
    if problem.task == "regression":
        return None
    if metric == "worth":
        worth = problem.worth.model_dump()
        values = [*worth.pop("wrong_when_true", {}).values(), *worth.values()]
        return min(values), max(values)
    if metric == "log_loss":
        return float(np.log(_LEAST)), 0.0
    return (0.0, 1.0) if problem.task == "multiclass" else (-1.0, 0.0)


def _numbers(values: Sequence[object]) -> Floats:
    return np.asarray(values, dtype=np.float64)
