"""What happens to 1,000 cases: natural frequencies, which people read more safely than probabilities.

Source: G. Gigerenzer and U. Hoffrage, How to improve Bayesian reasoning without instruction: frequency formats,
Psychological Review 102, 1995.
"""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import MetricValue
from noria.evaluation.paired_bootstrap import metric_difference
from noria.evaluation.results import PolicyResult
from noria.evaluation.scored_predictions import ScoredPredictions
from noria.metrics.bootstrap import Floats
from noria.metrics.decision_value import break_even_decisions
from noria.tabular.label_text import as_labels

Masks = dict[str, NDArray[np.bool_]]


def compare_policy(
    judged: ScoredPredictions,
    metrics: dict[str, MetricValue],
    name: Literal["model", "rules", "nothing"],
    near: float | None,
    model: ScoredPredictions | None = None,
) -> PolicyResult:
    """One way to decide the test rows.

    Args:
        judged: what it answers.
        metrics: its metrics.
        name: what it is.
        near: regression: how far off still counts as near.
        model: what the model answers, to be compared with it; None for the model itself.
    """
    return PolicyResult(
        name=name,
        worth=metrics["worth"],
        metric=metrics.get(judged.use_case.evaluation.metric),
        model_leads_by=None if model is None else metric_difference(model, judged, "worth")[2],
        per_1000={what: float(1000 * mask.mean()) for what, mask in _masks(judged, near).items()},
    )


def do_nothing(judged: ScoredPredictions, usual: str | float | None) -> ScoredPredictions:
    """The same rows without rules or model: binary cases all left alone, others all given the usual answer."""
    rows, manifest = len(judged.truth), judged.bundle.manifest
    binary = manifest.task == "binary"
    prediction = np.full(rows, manifest.classes[0] if binary else usual)
    table = pd.DataFrame({"prediction": prediction, "probability": np.nan, "decision": "leave" if binary else "act"})
    scores: Floats = np.zeros(rows)
    if manifest.task == "regression":
        scores = prediction.astype(np.float64)
    elif manifest.task == "multiclass":
        scores = (prediction[:, None] == np.array(manifest.classes)[None, :]).astype(np.float64)
    return replace(judged, table=table, scores=scores)


def constant_answer(judged: ScoredPredictions) -> ScoredPredictions:
    """The same rows, each given the same answer, regardless of its columns: the shares of the classes in training, or
    the typical number. Binary: all are acted on or none, whichever brings in more at that share."""
    rows, manifest, use_case = len(judged.truth), judged.bundle.manifest, judged.use_case
    known = judged.bundle.reference()[use_case.data.target]
    if manifest.task == "regression":
        # of all constants, the mean has the least squared error, the median the least absolute one
        typical = known.mean() if use_case.evaluation.metric in {"rmse", "r2"} else known.median()
        scores = np.full(rows, float(typical))
        return replace(judged, scores=scores, table=_table(scores, np.full(rows, np.nan), np.full(rows, "act")))
    labels = as_labels(known)
    shares = np.array([np.mean(labels == name) for name in manifest.classes])
    likeliest = np.full(rows, manifest.classes[int(shares.argmax())])
    if use_case.problem.task == "binary":
        scores = np.full(rows, shares[-1])
        decisions = break_even_decisions(use_case.problem.worth, scores)
        return replace(judged, scores=scores, table=_table(likeliest, scores, decisions))
    scores = np.tile(shares, (rows, 1))
    return replace(judged, scores=scores, table=_table(likeliest, scores.max(axis=1), np.full(rows, "act")))


def _table(prediction: NDArray[Any], probability: Floats, decision: NDArray[np.str_]) -> pd.DataFrame:
    return pd.DataFrame({"prediction": prediction, "probability": probability, "decision": decision})


def _masks(judged: ScoredPredictions, near: float | None) -> Masks:
    problem, decisions = judged.use_case.problem, judged.decisions
    if problem.task == "binary":
        return _binary_masks(np.asarray(judged.truth == str(problem.positive)), decisions)
    if problem.task == "multiclass":
        asked = decisions == "ask"
        right = np.asarray(judged.truth == judged.table["prediction"].to_numpy(dtype=str))
        return {"right": right & ~asked, "wrong": ~right & ~asked, "ask": asked}
    error, tolerance = judged.scores - judged.truth.astype(np.float64), near or 0.0
    return {"near": np.abs(error) <= tolerance, "too_high": error > tolerance, "too_low": error < -tolerance}


def _binary_masks(positive: NDArray[np.bool_], decisions: NDArray[np.str_]) -> Masks:
    return {
        f"{decision}_{side}": (decisions == decision) & (positive if side == "positive" else ~positive)
        for decision in ("act", "ask", "leave")
        for side in ("positive", "negative")
    }
