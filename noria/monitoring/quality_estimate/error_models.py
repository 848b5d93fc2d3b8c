"""DLE: a model of the errors of a regression, learned where the truth is known.

Source: direct loss estimation, as published with NannyML (2022): a second model predicts the loss of each prediction
from the inputs and the prediction; the mean over a window is the estimate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.monitoring.quality_estimate.boosted_parts import BoostedParts, fit_parts, split_parts
from noria.monitoring.quality_estimate.expected_metrics import Figure

Floats = NDArray[np.float64]
_PARTS = 5


@dataclass(frozen=True)
class ErrorModel:
    """The mean loss that is expected for given inputs."""

    levels: Floats
    """(k,) mean loss in each fit's rows, in units of `scale`."""
    trees: BoostedParts
    scale: float
    noise: float
    """How far single losses are from what is expected: root of the ratio of summed squares, on rows held out."""

    held_out: Floats
    """(m,) the losses that were expected of the rows it was fitted on, each by the fit that had not seen it."""

    def mean_loss(self, matrix: Floats, predicted: Floats) -> Figure:
        """The mean loss that is expected of n rows, and how far their labels may show it to be elsewhere.

        Args:
            matrix: (n, p) the inputs, as in the reference.
            predicted: (n,) the model's predictions.
        """
        each = self._losses(matrix, predicted)
        means, losses = each.mean(axis=1), each.mean(axis=0)
        parts, rows = len(means), len(losses)
        doubt = (parts - 1) / parts * ((means - means.mean()) ** 2).sum()
        chance = self.noise**2 * (losses**2).mean() / rows
        return Figure(float(losses.mean()), float(np.sqrt(doubt + chance)))

    def expected_losses(self, matrix: Floats, predicted: Floats) -> Floats:
        """(n,) the loss that is expected of each row; arguments as for `mean_loss`."""
        return np.asarray(self._losses(matrix, predicted).mean(axis=0), dtype=np.float64)

    def _losses(self, matrix: Floats, predicted: Floats) -> Floats:
        margins = np.repeat(self.levels[:, None], len(predicted), axis=1)
        return self.trees.add(np.column_stack([matrix, predicted]), margins) * self.scale


def fit_error_model(
    matrix: Floats, predicted: Floats, losses: Floats, *, seed: int = 0, in_order: bool = False
) -> ErrorModel:
    """Learn the loss of a prediction from rows whose truth is known and that the model was not fitted on.

    Args:
        matrix: (n, p) the inputs as numbers, NaN where missing; p may be 0.
        predicted: (n,) the model's predictions.
        losses: (n,) what each cost: absolute or squared error, or less of worth.
        seed: of the parts and the trees.
        in_order: rows are in the order of time, and held out in stretches of it.
    """
    scale = float(np.abs(losses).mean()) or 1.0
    target, parts = losses / scale, split_parts(len(losses), _PARTS, seed, in_order=in_order)
    levels = np.array([target[inside].mean() for inside, _ in parts])
    margins = np.repeat(levels[:, None], len(target), axis=1)
    table = np.column_stack([matrix, predicted])
    trees = fit_parts(table, target, margins, parts, objective="reg:squarederror", seed=seed)
    fitted = trees.add(table, margins)
    held_out = np.zeros(len(target))
    for line, (_, outside) in zip(fitted, parts, strict=True):
        held_out[outside] = line[outside]
    noise = float(np.sqrt(((target - held_out) ** 2).sum() / max((held_out**2).sum(), 1e-12)))
    return ErrorModel(levels, trees, scale, noise, held_out * scale)
