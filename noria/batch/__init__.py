"""Batch inference: a file in, a file of predictions out."""

from noria.batch.predict_file import BatchSummary, check_places, predict_file

__all__ = ["BatchSummary", "check_places", "predict_file"]
