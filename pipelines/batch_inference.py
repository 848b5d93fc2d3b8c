"""The batch inference pipeline."""

from zenml import pipeline

from noria.config import UseCase
from steps.batch_inference import predict_file
from steps.deployment import champion


@pipeline(name="batch_inference")
def batch_inference(use_case: UseCase, source: str, target: str, quarantine: str) -> None:
    """From a file of cases to a file of predictions, with the promoted bundle."""
    bundle = champion(use_case)
    predict_file(bundle, use_case, source, target, quarantine)
