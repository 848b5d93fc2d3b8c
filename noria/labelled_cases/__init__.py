"""Labelled cases from the prediction store, as rows to learn from beside the table."""

from noria.labelled_cases.results import CasesSummary
from noria.labelled_cases.settings import CaseSettings, case_settings
from noria.labelled_cases.training_table import TrainingTable, read_training_table, training_fingerprint

__all__ = [
    "CaseSettings",
    "CasesSummary",
    "TrainingTable",
    "case_settings",
    "read_training_table",
    "training_fingerprint",
]
