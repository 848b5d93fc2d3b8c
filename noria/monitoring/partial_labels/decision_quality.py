"""Quality of one decision alone: what can be said where nothing is known of the other cases."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.metrics.decision_value import binary_worth, multiclass_worth, regression_worth
from noria.metrics.weighted_statistics import mean
from noria.monitoring.look_level import look_scores, standard_error
from noria.monitoring.partial_labels.weights import LabelWeights, WeighedLabels
from noria.monitoring.results import DecisionFigure, DecisionQuality

Floats = NDArray[np.float64]
_FEWEST_BEFORE = 30
"""Training rows of a decision that are enough to compare with."""


def decision_quality(
    use_case: UseCase, weighed: WeighedLabels, reference: pd.DataFrame, look: int = 1
) -> list[DecisionQuality]:
    """How right each decision was whose cases the labels stand for.

    Args:
        use_case: names the task, the worths, and how many labels are needed.
        weighed: the labelled cases.
        reference: training rows with the columns `target`, `prediction` and `decision`, predicted out of fold.
        look: which look at this model it is, from 1.

    Returns:
        Without decisions that have fewer than `monitoring.min_labels` effective labels.
    """
    decisions = weighed.labelled["decision"].to_numpy(dtype=str)
    found = []
    for covered in weighed.coverage.decisions:
        rows = decisions == covered.decision
        weights = weighed.weights.part(rows)
        if not covered.is_covered or weights.effective < use_case.monitoring.min_labels:
            continue
        known = weighed.labelled[rows]
        now = _figures(use_case, covered.decision, known["label"], known["prediction"])
        before = reference[reference["decision"] == covered.decision]
        then = _figures(use_case, covered.decision, before["target"], before["prediction"])
        figures = [_beside(use_case, each, then[name], weights, look) for name, each in now.items()]
        found.append(DecisionQuality(decision=covered.decision, labels=int(rows.sum()), figures=figures))
    return found


class _Figure(NamedTuple):
    """A mean over cases."""

    name: str
    each: Floats
    """(n,) what each case contributes."""
    greater_is_better: bool = True


def _figures(
    use_case: UseCase, decision: str, truth: "pd.Series[Any]", answered: "pd.Series[Any]"
) -> dict[str, _Figure]:
    """By name: how often the decision was right, where it can be, and the worth, over n cases."""
    problem = use_case.problem
    if problem.task == "regression":
        numbers, said = truth.to_numpy(dtype=np.float64), answered.to_numpy(dtype=np.float64)
        return _named("mae", np.abs(said - numbers), regression_worth(problem.worth, numbers, said), greater=False)
    labels = truth.to_numpy(dtype=str)
    if problem.task == "multiclass":
        classes = answered.to_numpy(dtype=str)
        return _named("accuracy", labels == classes, multiclass_worth(problem.worth, labels, classes))
    positive = labels == str(problem.positive)
    worth = binary_worth(problem.worth, positive, np.full(len(truth), decision))
    if decision == "act":
        return _named("precision", positive, worth)
    if decision == "leave":
        return _named("negative_predictive_value", ~positive, worth)
    return {"worth": _Figure("worth", 1000 * worth)}


def _named(name: str, each: NDArray[Any], worth: Floats, *, greater: bool = True) -> dict[str, _Figure]:
    return {name: _Figure(name, each.astype(np.float64), greater), "worth": _Figure("worth", 1000 * worth)}


def _beside(use_case: UseCase, now: _Figure, before: _Figure, weights: LabelWeights, look: int) -> DecisionFigure:
    judged, statistic = use_case.evaluation, mean(now.each)
    value = weights.value(statistic)
    low, high = weights.interval(statistic, judged.confidence, judged.bootstrap, use_case.split.seed)
    if len(before.each) < _FEWEST_BEFORE:
        return DecisionFigure(name=now.name, now=value, low=low, high=high, before=None)
    then = float(before.each.mean())
    worse_by = then - value if now.greater_is_better else value - then
    error = math.hypot(standard_error(low, high, judged.confidence), before.each.std() / math.sqrt(len(before.each)))
    return DecisionFigure(
        name=now.name,
        now=value,
        low=low,
        high=high,
        before=then,
        worse_by=worse_by,
        beyond_chance=bool(worse_by > 0 and worse_by > look_scores(look) * error),
    )
