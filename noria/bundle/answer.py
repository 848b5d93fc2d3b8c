"""From scores to the columns that a prediction consists of."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.models.decision import DecisionPolicy

COLUMNS = ["prediction", "probability", "decision", "warning", "error"]
_EVEN = 0.5


def answer(scores: NDArray[np.float64], task: str, classes: Sequence[str], policy: DecisionPolicy) -> pd.DataFrame:
    """Prediction, probability and decision for each score.

    Args:
        scores: (n,) probabilities of the positive class or numbers, or (n, k) probabilities of the classes.
        task: binary, multiclass or regression.
        classes: binary [negative, positive]; multiclass the k classes.
        policy: what is done with a prediction. For binary its threshold also parts the two classes.

    Returns:
        n rows: `prediction` (text, or float64 for regression), `probability` (of the positive class, or of the
        predicted one; NaN for regression), `decision`.
    """
    if task == "regression":
        prediction, probability = scores, np.full(len(scores), np.nan)
    elif task == "binary":
        threshold = _EVEN if policy.threshold is None else policy.threshold
        prediction, probability = np.array(classes, dtype=object)[(scores >= threshold).astype(int)], scores
    else:
        prediction = np.array(classes, dtype=object)[scores.argmax(axis=1)]
        probability = scores.max(axis=1)
    table = {"prediction": prediction, "probability": probability, "decision": policy.decide(scores)}
    return pd.DataFrame(table)
