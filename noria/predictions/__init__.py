"""Every prediction that was answered, and the true labels that came later."""

from noria.predictions.records import SMOKE, Counts, Feedback, PredictionRecord
from noria.predictions.store import PredictionStore, inputs_of

__all__ = ["SMOKE", "Counts", "Feedback", "PredictionRecord", "PredictionStore", "inputs_of"]
