"""The decision policy that a use case asks for, chosen on out-of-fold scores of its training rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.config import UseCase
from noria.config.problem import BinaryWorth
from noria.models.decision_policy import DecisionPolicy
from noria.tabular.label_text import as_labels

__all__ = ["DecisionPolicy", "best_threshold", "choose_policy"]


def choose_policy(use_case: UseCase, truth: Any, oof: NDArray[np.float64]) -> DecisionPolicy:
    """The policy that the use case asks for.

    Args:
        use_case: its `decision` section, and `problem.worth` for `best_worth`.
        truth: (n,) true labels or numbers of the training rows.
        oof: (n,) or (n, k) out-of-fold scores, so that the threshold never sees a model's own training rows;
            rows with NaN are left out.
    """
    decision, problem = use_case.decision, use_case.problem
    if problem.task == "multiclass":
        return DecisionPolicy(review_below=decision.review_below)
    if problem.task == "regression":
        return DecisionPolicy(act_from=decision.act_from)
    if decision.threshold != "best_worth":
        return DecisionPolicy(threshold=decision.threshold, review_margin=decision.review_margin)
    known = ~np.isnan(oof)
    positive = as_labels(truth) == str(problem.positive)
    threshold = best_threshold(problem.worth, positive[known], oof[known])
    return DecisionPolicy(threshold=threshold, review_margin=decision.review_margin)


def best_threshold(worth: BinaryWorth, positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The threshold whose decisions bring in most on these rows; of equal ones the highest, which acts least.

    Args:
        worth: what each kind of decision brings in.
        positive: (n,) whether a row is of the positive class.
        scores: (n,) probabilities of the positive class.

    Returns:
        0 to 1, half-way between two neighbouring scores; 0 acts always, 1 only when certain.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    gains = np.where(
        positive[order],
        worth.true_positive - worth.false_negative,
        worth.false_positive - worth.true_negative,
    )
    # entry i: what is gained over doing nothing by acting on the i highest scores
    gained = np.concatenate([[0.0], np.cumsum(gains)])
    possible = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]]) if len(ranked) else np.array([True])
    acted_on = int(np.argmax(np.where(possible, gained, -np.inf)))
    if acted_on == 0:
        return 1.0
    if acted_on == len(ranked):
        return 0.0
    return float((ranked[acted_on - 1] + ranked[acted_on]) / 2)
