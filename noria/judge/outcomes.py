"""What happens to 1,000 cases: natural frequencies, which people read more safely than probabilities.

Source: G. Gigerenzer and U. Hoffrage, How to improve Bayesian reasoning without instruction: frequency formats,
Psychological Review 102, 1995.
"""

import numpy as np
from numpy.typing import NDArray

from noria.bundle import Metric
from noria.config import UseCase
from noria.judge.bootstrap import Floats
from noria.judge.facts import Approach
from noria.judge.judged import Judged
from noria.judge.metrics import intervals, measure

Truth = NDArray[np.str_] | Floats


def approach(judged: Judged, name: str, near: float | None) -> Approach:
    """The judged bundle as one way to decide."""
    metrics = judged.metrics()
    return Approach(
        name=name,
        worth=metrics["worth"],
        metric=metrics.get(judged.use_case.evaluation.metric),
        per_1000=_per_1000(
            judged.use_case, judged.truth, judged.table["prediction"].to_numpy(), judged.decisions, near
        ),
    )


def nothing(judged: Judged, usual: str | float | None, near: float | None) -> Approach:
    """The same rows without rules or model: all left alone, or all given the usual answer."""
    use_case, truth = judged.use_case, judged.truth
    rows = len(truth)
    predictions = np.full(rows, usual if usual is not None else "")
    decisions = np.full(rows, "leave" if use_case.problem.task == "binary" else "act")
    scores, classes = _scores_of_nothing(judged, predictions)
    given = (use_case, truth, scores, decisions)
    values = measure(*given, classes=classes)
    ranges = intervals(*given, classes=classes, blocks=judged.blocks)
    found = {name: Metric(value=v, low=ranges[name][0], high=ranges[name][1]) for name, v in values.items()}
    has_metric = use_case.problem.task != "binary" and np.isfinite(values[use_case.evaluation.metric])
    return Approach(
        name="nothing",
        worth=found["worth"],
        metric=found[use_case.evaluation.metric] if has_metric else None,
        per_1000=_per_1000(use_case, truth, predictions, decisions, near),
    )


def _scores_of_nothing(judged: Judged, predictions: NDArray[np.generic]) -> tuple[Floats, list[str] | None]:
    if judged.use_case.problem.task == "regression":
        return predictions.astype(np.float64), None
    if judged.use_case.problem.task == "binary":
        return np.zeros(len(predictions)), None
    classes = judged.bundle.manifest.classes
    return (predictions[:, None] == np.array(classes)[None, :]).astype(np.float64), classes


def _per_1000(
    use_case: UseCase, truth: Truth, predictions: NDArray[np.generic], decisions: NDArray[np.str_], near: float | None
) -> dict[str, float]:
    problem = use_case.problem
    if problem.task == "binary":
        masks = _binary_masks(np.asarray(truth == str(problem.positive)), decisions)
    elif problem.task == "multiclass":
        masks = _multiclass_masks(np.asarray(truth == predictions.astype(str)), decisions)
    else:
        masks = _regression_masks(predictions.astype(np.float64) - truth.astype(np.float64), near or 0.0)
    return {name: float(1000 * mask.mean()) for name, mask in masks.items()}


def _binary_masks(positive: NDArray[np.bool_], decisions: NDArray[np.str_]) -> dict[str, NDArray[np.bool_]]:
    return {
        f"{decision}_{side}": (decisions == decision) & (positive if side == "positive" else ~positive)
        for decision in ("act", "ask", "leave")
        for side in ("positive", "negative")
    }


def _multiclass_masks(right: NDArray[np.bool_], decisions: NDArray[np.str_]) -> dict[str, NDArray[np.bool_]]:
    asked = decisions == "ask"
    return {"right": right & ~asked, "wrong": ~right & ~asked, "ask": asked}


def _regression_masks(error: Floats, near: float) -> dict[str, NDArray[np.bool_]]:
    return {"near": np.abs(error) <= near, "too_high": error > near, "too_low": error < -near}
