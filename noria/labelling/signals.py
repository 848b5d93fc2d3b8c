"""What speaks for asking for a case: its answer is close, models disagree on it, or cases like it have become more."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle, Manifest

Numbers = NDArray[np.float64]
_LEAST, _MOST = 0.02, 0.98
"""Probabilities beyond are taken for these: a model that is too sure of itself would else learn nothing there."""
_FOLDS, _SEED = 3, 7
_TOLD_APART = 0.55
"""The classifier must tell recent rows from learned ones by this ROC AUC; below, no region has moved."""


def closeness(scores: Numbers, manifest: Manifest) -> Numbers:
    """(n,) 0 to 1: how close each of n logged answers is to another decision.

    Binary: 1 at the threshold, falling to 0 where the probability is 0 or 1; the threshold follows from what decisions
    are worth, so that cases are close where a mistake costs most (`best_worth`). Several classes: by how far the
    likeliest one is from certain. Regression: by the distance from `act_from` in standard deviations; without one,
    each number counts the same.
    """
    if manifest.task == "regression":
        level = manifest.policy.act_from
        if level is None:
            return np.ones(len(scores))
        spread = float(np.std(scores)) or 1.0
        return np.asarray(np.exp(-0.5 * ((scores - level) / spread) ** 2), dtype=np.float64)
    p = np.clip(scores, _LEAST, _MOST)
    if manifest.task == "multiclass":
        return np.asarray((1.0 - p) / (1.0 - 1.0 / len(manifest.classes)), dtype=np.float64)
    threshold = manifest.policy.threshold
    return tent(p, 0.5 if threshold is None else threshold)


def tent(probability: Numbers, threshold: float) -> Numbers:
    """(n,) 1 at the threshold, falling in straight lines to 0 at the probabilities 0 and 1."""
    t, p = float(np.clip(threshold, _LEAST, _MOST)), np.clip(probability, _LEAST, _MOST)
    return np.asarray(np.minimum(p / t, (1.0 - p) / (1.0 - t)), dtype=np.float64)


def label_information(scores: Numbers, task: str) -> Numbers:
    """(n,) what a label tells (Fisher information of a Bernoulli variable): p (1 - p), or 1 for a number."""
    if task == "regression":
        return np.ones(len(scores))
    p = np.clip(scores, _LEAST, _MOST)
    return np.asarray(p * (1.0 - p), dtype=np.float64)


def disagreement(bundles: Sequence[Bundle], inputs: pd.DataFrame) -> Numbers:
    """(n,) 0 to 1: how far the variants' answers to n rows lie apart; 0 for rows that one of them cannot answer.

    Source: query by committee (H. S. Seung, M. Opper and H. Sompolinsky, COLT 1992). Probabilities: the largest
    difference of one class's probability. Numbers: the range in standard deviations of the first one's answers.
    """
    if len(bundles) < 2:
        return np.zeros(len(inputs))
    scores = [bundle.answer(inputs.reindex(columns=bundle.manifest.schema_.names)).scores for bundle in bundles]
    apart = np.ptp(np.stack(scores), axis=0)
    if bundles[0].manifest.task == "regression":
        apart = apart / (float(np.nanstd(scores[0])) or 1.0)
    widest = apart.max(axis=1) if apart.ndim == 2 else apart
    return np.asarray(np.nan_to_num(np.clip(widest, 0.0, 1.0)), dtype=np.float64)


def density_ratio(learned: Numbers, asked: Numbers) -> Numbers:
    """(n,) how many times as frequent cases like each asked one have become since training; 1 where nothing moved.

    By a classifier that tells m learned from n asked rows, on rows that it has not seen (M. Sugiyama, T. Suzuki and
    T. Kanamori, Density ratio estimation in machine learning, 2012). If it cannot tell them apart, all are 1.

    Args:
        learned: (m, q) a sample of the learned rows.
        asked: (n, q) rows in the same space.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    if min(len(learned), len(asked)) < 10 * _FOLDS or learned.shape[1] == 0:
        return np.ones(len(asked))
    rows, is_asked = np.vstack([learned, asked]), np.repeat([0, 1], [len(learned), len(asked)])
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=200)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        p = cross_val_predict(model, rows, is_asked, cv=folds, method="predict_proba")[:, 1]
    if roc_auc_score(is_asked, p) < _TOLD_APART:
        return np.ones(len(asked))
    now = np.clip(p[len(learned) :], _LEAST, _MOST)
    return np.asarray(now / (1.0 - now), dtype=np.float64)
