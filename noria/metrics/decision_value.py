"""What a decision brings in, in `problem.unit`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.config.problem import BinaryWorth, MulticlassWorth, Problem, RegressionWorth
from noria.tabular.label_text import as_labels

Floats = NDArray[np.float64]


def binary_worth(worth: BinaryWorth, positive: NDArray[np.bool_], decisions: NDArray[np.str_]) -> Floats:
    """(n,) what each decision brings in.

    A case that is handed to a person (`ask`) counts as the mean of acting and leaving: the person is credited with
    no more than a coin.
    """
    act = np.where(positive, worth.true_positive, worth.false_positive)
    leave = np.where(positive, worth.false_negative, worth.true_negative)
    ask = (act + leave) / 2
    return np.select([decisions == "act", decisions == "ask"], [act, ask], leave).astype(np.float64)


def break_even_decisions(worth: BinaryWorth, probability: Floats) -> NDArray[np.str_]:
    """Act where acting is expected to bring in more than leaving, taking the probability at its word.

    Source: C. Elkan, The foundations of cost-sensitive learning, IJCAI 2001.
    """
    act = probability * worth.true_positive + (1 - probability) * worth.false_positive
    leave = probability * worth.false_negative + (1 - probability) * worth.true_negative
    return np.where(act > leave, "act", "leave")


def multiclass_worth(worth: MulticlassWorth, truth: NDArray[np.str_], predicted: NDArray[np.str_]) -> Floats:
    """(n,) what each predicted class brings in; a person who is asked is taken to follow the prediction."""
    known, place = np.unique(truth, return_inverse=True)
    missed = np.array([worth.wrong_when_true.get(str(label), worth.wrong) for label in known], dtype=np.float64)
    return np.where(truth == predicted, worth.right, missed[place] if known.size else worth.wrong)


def regression_worth(worth: RegressionWorth, truth: Floats, predicted: Floats) -> Floats:
    """(n,) what each prediction brings in: `right` within the tolerance, less the cost of every unit it is off."""
    error = predicted - truth
    cost = np.where(error > 0, error * worth.too_high_per_unit, -error * worth.too_low_per_unit)
    return np.where(np.abs(error) <= worth.tolerance, worth.right, 0.0) - cost


def decision_worth(problem: Problem, truth: NDArray[Any], predicted: NDArray[Any], decisions: NDArray[Any]) -> Floats:
    """(n,) what each case brings in, for any task.

    Args:
        problem: names the task and the worths.
        truth: (n,) true labels or numbers, none missing.
        predicted: (n,) predicted classes or numbers; not read for binary.
        decisions: (n,) "act", "ask" or "leave"; read for binary only.
    """
    if problem.task == "regression":
        return regression_worth(problem.worth, truth.astype(np.float64), predicted.astype(np.float64))
    labels = as_labels(truth)
    if problem.task == "binary":
        return binary_worth(problem.worth, labels == str(problem.positive), decisions.astype(str))
    return multiclass_worth(problem.worth, labels, as_labels(predicted))
