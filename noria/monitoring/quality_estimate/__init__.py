"""How good a model is before its labels come: an estimate with an interval, and later how far off it was.

Classification rests on calibrated probabilities: CBPE, sharpened by a calibration that looks at the inputs, and PAPE.
Regression rests on a model of the errors: DLE. All of them take what has been learned as still true for given inputs;
a change of what the inputs mean for the target shows in labels only.

Sources: CBPE and DLE as published with NannyML (2022); J. Białek, W. Kuberski, N. Perrakis and A. Bifet, Estimating
model performance under covariate shift without labels, arXiv 2401.08348, 2024 (PAPE).
"""

from noria.monitoring.quality_estimate.calibration import Calibration, fit_calibration, recalibrate
from noria.monitoring.quality_estimate.covariate_shift import shifted_calibration
from noria.monitoring.quality_estimate.estimator import QualityEstimator, fit_estimator
from noria.monitoring.quality_estimate.expected_metrics import Figure, expected, label_noise
from noria.monitoring.quality_estimate.track_record import score_estimates, sentence, stretch
from noria.monitoring.quality_estimate.window_estimate import add_estimates

__all__ = [
    "Calibration",
    "Figure",
    "QualityEstimator",
    "add_estimates",
    "expected",
    "fit_calibration",
    "fit_estimator",
    "label_noise",
    "recalibrate",
    "score_estimates",
    "sentence",
    "shifted_calibration",
    "stretch",
]
