"""The steps of the batch inference pipeline."""

from steps.batch_inference.predict_file import predict_file

__all__ = ["predict_file"]
