"""The estimator of a deployed model: learned from its reference rows, asked about logged predictions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.bundle.reference_sample import answer_column
from noria.config import UseCase
from noria.metrics.decision_value import regression_worth
from noria.metrics.metrics import metric_statistics
from noria.metrics.weighted_statistics import mean
from noria.monitoring.logged_predictions import logged_answers, reference_answers
from noria.monitoring.quality_estimate.calibration import Calibration, fit_calibration, is_proven_gain, recalibrate
from noria.monitoring.quality_estimate.error_models import ErrorModel, fit_error_model
from noria.monitoring.quality_estimate.expected_metrics import Figure, expected
from noria.monitoring.results import QualityEstimate
from noria.predictions import inputs_of

Floats = NDArray[np.float64]
Losses = Callable[[Floats, Floats], Floats]
_FEWEST_ROWS = 400
_FEWEST_PER_CLASS = 40
_MOST_LATE = 5_000
"""As many as the reference has."""


@dataclass(frozen=True)
class QualityEstimator:
    """Estimates the metrics of predictions without their labels."""

    use_case: UseCase
    bundle: Bundle
    places: list[int]
    """Columns of the encoded inputs that the store keeps as they are."""
    calibration: Calibration | None
    """Of classification."""
    errors: Mapping[str, ErrorModel]
    """Metric → model of its loss; of regression."""
    is_late: bool = False
    """Whether late labels have corrected the models of the errors."""

    def estimate(self, metric: str, rows: pd.DataFrame, *, stretch: float = 1.0) -> QualityEstimate | None:
        """The metric that is expected on n logged predictions; None where this metric cannot be estimated.

        Args:
            metric: the name of a metric of the task, or `worth`.
            rows: (n, …) predictions as the store gives them.
            stretch: factor for the width of the interval, see `noria.monitoring.quality_estimate.stretch`.
        """
        if not len(rows):
            return None
        figure = self._regression(metric, rows) if self.calibration is None else self._classified(metric, rows)
        if figure is None or not np.isfinite(figure.value):
            return None
        reach = NormalDist().inv_cdf((1 + self.use_case.evaluation.confidence) / 2) * figure.deviation * stretch
        return QualityEstimate(
            metric=metric,
            value=figure.value,
            low=figure.value - reach,
            high=figure.value + reach,
            rows=len(rows),
            method=self.method,
        )

    def recalibrated(self, labelled: pd.DataFrame) -> "QualityEstimator":
        """The estimator as late labels correct it; itself if these are too few, or do not show it to be wrong.

        The probabilities are calibrated again on top of what the reference says, see `recalibrate`. The model of a
        regression's errors is learned again, if that proves to be better.

        Args:
            labelled: (n, …) logged predictions with a usable label, oldest first; the newest 5,000 count.
        """
        rows = labelled.iloc[-_MOST_LATE:]
        if len(rows) < _FEWEST_ROWS:
            return self
        known = logged_answers(self.bundle.manifest, rows)
        matrix, seed = self._inputs(rows), self.use_case.split.seed
        if self.calibration is None:
            return self._with_late_errors(known, matrix, seed)
        hits = _hits(known, self.use_case, self.bundle)
        if min(hits.sum(), (~hits).sum()) < _FEWEST_PER_CLASS:
            return self
        scores = known["probability"].to_numpy(dtype=np.float64)
        return replace(self, calibration=recalibrate(self.calibration, matrix, scores, hits))

    def _with_late_errors(self, known: pd.DataFrame, matrix: Floats, seed: int) -> "QualityEstimator":
        predicted, late = known["prediction"].to_numpy(dtype=np.float64), {}
        for name, losses in _losses(known, self.use_case).items():
            model = fit_error_model(matrix, predicted, losses, seed=seed, in_order=True)
            before = self.errors[name].expected_losses(matrix, predicted)
            gains = (losses - before) ** 2 - (losses - model.held_out) ** 2
            late[name] = model if is_proven_gain(gains) else self.errors[name]
        return replace(self, errors=late, is_late=any(late[name] is not self.errors[name] for name in late))

    @property
    def method(self) -> str:
        """What it is called in reports."""
        if self.calibration is not None:
            return self.calibration.method
        return "DLE, learned from late labels" if self.is_late else "DLE"

    def _classified(self, metric: str, rows: pd.DataFrame) -> Figure | None:
        assert self.calibration is not None  # noqa: S101 - for the type checker; the caller has seen it
        scores = rows["probability"].to_numpy(dtype=np.float64)
        fits = self.calibration.probabilities(self._inputs(rows), scores)
        if self.use_case.problem.task == "binary":
            decisions = rows["decision"].to_numpy(dtype=str)
            return expected(self._binary_statistic(metric, scores, decisions), fits)
        gain = self._gain_of_right(metric)
        if gain is None:
            return None
        right, wrong = gain
        return expected(mean(np.repeat([right, wrong], len(rows))), fits)

    def _binary_statistic(self, metric: str, scores: Floats, decisions: NDArray[np.str_]) -> Any:
        positive = str(self.bundle.manifest.positive)
        truth = np.repeat([positive, f"not {positive}"], len(scores))
        found = metric_statistics(self.use_case, truth, np.tile(scores, 2), np.tile(decisions, 2))
        return found[metric]

    def _gain_of_right(self, metric: str) -> tuple[float, float] | None:
        """Of several classes: what a right and a wrong answer count, where that is all that matters."""
        if metric == "accuracy":
            return 1.0, 0.0
        worth: Any = self.use_case.problem.worth
        if metric == "worth" and not worth.wrong_when_true:
            return 1000.0 * worth.right, 1000.0 * worth.wrong
        return None

    def _regression(self, metric: str, rows: pd.DataFrame) -> Figure | None:
        if metric not in self.errors:
            return None
        found = self.errors[metric].mean_loss(self._inputs(rows), rows["prediction"].to_numpy(dtype=np.float64))
        if metric == "worth":
            return Figure(-1000 * found.value, 1000 * found.deviation)
        if metric == "rmse":
            root = float(np.sqrt(max(found.value, 0.0)))
            return Figure(root, found.deviation / (2 * root) if root else 0.0)
        return found

    def _inputs(self, rows: pd.DataFrame) -> Floats:
        schema = self.bundle.manifest.schema_
        return schema.encode(inputs_of(rows).reindex(columns=schema.names))[:, self.places]


def fit_estimator(bundle: Bundle, use_case: UseCase) -> QualityEstimator | None:
    """Learn from the reference rows of a bundle, whose answers are out of fold.

    Columns of which the store keeps only hashes or pieces are left out. None if the reference is too small: below 400
    rows or, for classification, 40 right or 40 wrong ones.
    """
    manifest = bundle.manifest
    if answer_column("prediction", manifest) not in bundle.reference().columns:
        return None  # of an earlier version
    known = reference_answers(bundle)
    if len(known) < _FEWEST_ROWS:
        return None
    privacy = use_case.serving.privacy
    hidden = {*privacy.hash, *privacy.drop, *privacy.truncate}
    places = [
        place
        for place, name in enumerate(manifest.schema_.encoded_names)
        if name not in hidden and name.rpartition(".")[0] not in hidden
    ]
    matrix = manifest.schema_.encode(bundle.reference())[:, places]
    seed = use_case.split.seed
    if use_case.problem.task == "regression":
        return QualityEstimator(use_case, bundle, places, None, _error_models(known, matrix, use_case, seed))
    hits = _hits(known, use_case, bundle)
    if min(hits.sum(), (~hits).sum()) < _FEWEST_PER_CLASS:
        return None
    scores = known["probability"].to_numpy(dtype=np.float64)
    return QualityEstimator(use_case, bundle, places, fit_calibration(matrix, scores, hits, seed=seed), {})


def _hits(known: pd.DataFrame, use_case: UseCase, bundle: Bundle) -> NDArray[np.bool_]:
    """(n,) what the probabilities are of: the positive class or, of several classes, that the answer is right."""
    truth = known["target"].to_numpy(dtype=str)
    if use_case.problem.task == "binary":
        return np.asarray(truth == str(bundle.manifest.positive), dtype=bool)
    return np.asarray(truth == known["prediction"].to_numpy(dtype=str), dtype=bool)


def _error_models(known: pd.DataFrame, matrix: Floats, use_case: UseCase, seed: int) -> dict[str, ErrorModel]:
    predicted = known["prediction"].to_numpy(dtype=np.float64)
    found = _losses(known, use_case)
    return {name: fit_error_model(matrix, predicted, losses, seed=seed) for name, losses in found.items()}


def _losses(known: pd.DataFrame, use_case: UseCase) -> dict[str, Floats]:
    """Metric → (n,) what each prediction loses, for the metrics that are wanted and are means of losses."""
    truth = known["target"].to_numpy(dtype=np.float64)
    predicted = known["prediction"].to_numpy(dtype=np.float64)
    worth: Any = use_case.problem.worth
    losses = {
        "mae": np.abs(predicted - truth),
        "rmse": (predicted - truth) ** 2,
        "worth": -regression_worth(worth, truth, predicted),
    }
    return {name: losses[name] for name in {use_case.evaluation.metric, "worth"} & losses.keys()}
