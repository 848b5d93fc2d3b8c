"""From scores to the columns that a prediction consists of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.models.decision_policy import DecisionPolicy
from noria.schema import CheckedRows

if TYPE_CHECKING:
    from noria.models.fitted_model import FittedModel

_EVEN = 0.5


def build_predictions(
    scores: NDArray[np.float64],
    task: str,
    classes: Sequence[str],
    policy: DecisionPolicy,
    said: NDArray[np.object_] | None = None,
) -> dict[str, NDArray[Any]]:
    """Prediction, probability and decision for each score.

    Args:
        scores: (n,) probabilities of the positive class or numbers, or (n, k) probabilities of the classes.
        task: binary, multiclass or regression.
        classes: binary [negative, positive]; multiclass the k classes.
        policy: what is done with a prediction. For binary its threshold also parts the two classes.
        said: (n,) classes that written rules give. They stand as written and no person is asked: the rules are
            what was done before there was a model.

    Returns:
        (n,) each: `prediction` (text, or float64 for regression), `probability` (of the positive class, or of the
        predicted one; NaN for regression), `decision`.
    """
    prediction: NDArray[Any]
    if task == "regression":
        prediction, probability, decision = scores, np.full(len(scores), np.nan), policy.decide(scores)
    elif task == "binary":
        threshold = _EVEN if policy.threshold is None else policy.threshold
        prediction = np.array(classes, dtype=object)[(scores >= threshold).astype(int)] if said is None else said
        probability = scores
        decision = policy.decide(scores) if said is None else np.where(said == classes[-1], "act", "leave")
    else:
        names = np.array(classes, dtype=object)
        prediction = names[scores.argmax(axis=1)] if said is None else said
        probability = np.where(prediction[:, None] == names, scores, 0).sum(axis=1)
        decision = policy.decide(scores) if said is None else np.full(len(scores), "act")
    return {"prediction": prediction, "probability": probability, "decision": decision}


def build_prediction(
    score: float, task: str, classes: Sequence[str], policy: DecisionPolicy
) -> tuple[str | float, float | None, str]:
    """`answer` for one score of binary or regression that no written rules gave; for regression without probability."""
    decision = policy.decide_one(score)
    if task == "regression":
        return score, None, decision
    threshold = _EVEN if policy.threshold is None else policy.threshold
    return classes[score >= threshold], score, decision


def rule_predictions(fitted: FittedModel, checked: CheckedRows) -> NDArray[np.object_] | None:
    """(n,) what written rules say of checked rows; None for regression, whose scores say it, and for other models."""
    if fitted.rules is None or fitted.task == "regression":
        return None
    return fitted.rules.as_written(checked.values, len(checked.errors))
