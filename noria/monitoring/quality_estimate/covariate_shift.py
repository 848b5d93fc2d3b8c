"""PAPE: calibration on the reference, weighted to look like the window.

Source: J. Białek, W. Kuberski, N. Perrakis and A. Bifet, Estimating model performance under covariate shift without
labels, arXiv 2401.08348, 2024. The weights are the odds that a row comes from the window, by a classifier (M. Sugiyama,
T. Suzuki and T. Kanamori, Density ratio estimation in machine learning, 2012).
"""

import numpy as np
from numpy.typing import NDArray

from noria.monitoring.quality_estimate.boosted_parts import fit_parts, split_parts
from noria.monitoring.quality_estimate.calibration import isotonic

Floats = NDArray[np.float64]
_PARTS = 3
_LARGEST = 50.0
_TIMES = 2  # reference rows per row of the window that the classifier learns from


def shifted_calibration(
    reference: Floats,
    scores: Floats,
    positive: NDArray[np.bool_],
    window: Floats,
    window_scores: Floats,
    *,
    seed: int = 0,
) -> Floats:
    """(m,) calibrated probabilities of the window's rows, by a calibration fitted to its mix of inputs.

    Args:
        reference: (n, p) inputs of rows whose truth is known.
        scores: (n,) the model's probabilities of them.
        positive: (n,) the truth.
        window: (m, p) inputs of the window.
        window_scores: (m,) the model's probabilities of them.
        seed: of the classifier.
    """
    weights = density_ratio(reference, window, seed=seed)
    margins = isotonic(scores, positive.astype(np.float64), weights)(window_scores)
    return np.asarray(1 / (1 + np.exp(-margins)), dtype=np.float64)


def density_ratio(reference: Floats, window: Floats, *, seed: int = 0) -> Floats:
    """(n,) how much likelier each reference row is in the window than in the reference, at most 50.

    All weights are 1 if the classifier cannot tell the two apart on rows that it has not seen.
    """
    known = np.random.default_rng(seed).permutation(len(reference))[: _TIMES * len(window)]
    matrix = np.vstack([reference[known], window])
    target = np.repeat([0.0, 1.0], [len(known), len(window)])
    level = float(np.log(len(window) / len(known)))
    parts = split_parts(len(target), _PARTS, seed)
    fitted = fit_parts(
        matrix, target, np.full((_PARTS, len(target)), level), parts, objective="binary:logistic", seed=seed
    )
    gained = fitted.add(reference, np.zeros((_PARTS, len(reference)))).mean(axis=0)
    return np.asarray(np.minimum(np.exp(gained), _LARGEST), dtype=np.float64)
