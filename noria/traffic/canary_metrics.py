"""Comparison of a challenger and the champion by true labels, valid however often it is looked at.

Metrics are compared by what they are a mean of: the loss or the worth of each case, or pairs of cases that are ranked
correctly. Where there is no difference, the chance that any of all looks finds one is at most 5 %
(`noria.metrics.sequential`).
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from noria.config.problem import Decision, Problem
from noria.config.section import Section
from noria.traffic.case_gains import compare_gains

if TYPE_CHECKING:
    from noria.metrics.bootstrap import Statistic
    from noria.predictions.records import VariantStatistics

_CONFIDENCE = 0.95


class MetricGap(Section):
    """One metric of a challenger and the champion."""

    metric: str
    challenger: float
    champion: float
    worse_by: float
    """By how much the challenger is worse, in the metric's own units; negative if it is better."""
    beyond_chance: bool
    """Whether the challenger is worse beyond chance, over all looks at it."""
    better_beyond_chance: bool = False
    """Whether it is better beyond chance."""
    more_labels: int | None = None
    """About how many more labels of both decide it, if the gap is what it seems; None: decided, or not known."""

    @property
    def state(self) -> str:
        """How far the comparison is, in words."""
        if self.beyond_chance or self.better_beyond_chance:
            return f"decided: the {'champion' if self.beyond_chance else 'challenger'} is better"
        if self.more_labels is None:
            return "not decided"
        leader = "champion" if self.worse_by > 0 else "challenger"
        return f"the {leader} leads by {abs(self.worse_by):.4g}, decision after about {self.more_labels:,} more labels"


def compare_labels(
    problem: Problem, metric: str, challenger: "VariantStatistics", champion: "VariantStatistics", at_least: int
) -> MetricGap | None:
    """The metric on labelled predictions; None while either has fewer than `at_least` labels or it is undefined, and
    where labels come for some decisions only: each variant is then known on cases that it has chosen itself.

    The store keeps only the answered class's probability, so log_loss of several classes is replaced by accuracy, and
    worth follows from the probability alone.
    """
    if min(len(challenger.labels), len(champion.labels)) < at_least or set(problem.labels_for) != set(
        get_args(Decision)
    ):
        return None
    from noria.metrics.metrics import greater_is_better

    metric = "accuracy" if problem.task == "multiclass" and metric == "log_loss" else metric
    sign = 1 if greater_is_better(metric) else -1
    measured = []
    for facts in (challenger, champion):
        statistic, rows = _statistic(problem, metric, facts)
        measured.append(float(statistic(np.ones((1, rows)))[0]))
    if not all(map(math.isfinite, measured)):
        return None
    compared = compare_gains(problem, metric, champion, challenger, _CONFIDENCE)
    return MetricGap(
        metric=metric,
        challenger=measured[0],
        champion=measured[1],
        worse_by=sign * (measured[1] - measured[0]),
        beyond_chance=compared.larger == "first",
        better_beyond_chance=compared.larger == "second",
        more_labels=compared.more_cases,
    )


def _statistic(problem: Problem, metric: str, facts: "VariantStatistics") -> tuple["Statistic", int]:
    """The metric as a function of weights, and how many rows it is over."""
    from noria.metrics import decision_value, weighted_statistics
    from noria.tabular.label_text import as_labels

    if problem.task == "regression":
        truth, predicted = _numbers(facts.labels), _numbers(facts.predictions)
        found = weighted_statistics.regression(truth, predicted)
        brought = decision_value.regression_worth(problem.worth, truth, predicted)
    elif problem.task == "binary":
        positive, probability = as_labels(facts.labels) == str(problem.positive), _numbers(facts.probabilities)
        found = weighted_statistics.binary(positive, probability)
        brought = decision_value.binary_worth(
            problem.worth, positive, decision_value.break_even_decisions(problem.worth, probability)
        )
    else:
        labels, classes = as_labels(facts.labels), as_labels(facts.predictions)
        names = np.unique(np.concatenate([labels, classes]))
        found = weighted_statistics.multiclass(labels, np.zeros((len(labels), len(names))), classes, names)
        brought = decision_value.multiclass_worth(problem.worth, labels, classes)
    found["worth"] = weighted_statistics.mean(1000 * brought)
    return found[metric], len(facts.labels)


def _numbers(values: Sequence[object]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
