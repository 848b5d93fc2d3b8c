"""Batch inference: a file in, a file of predictions out."""

from noria.batch.predict import BatchSummary, predict_file

__all__ = ["BatchSummary", "predict_file"]
