"""Predictions, the true labels that arrive later, and audit events.

The store is imported on first use: the service needs the records only, and no database, to answer requests.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from noria.predictions.records import SMOKE, Feedback, LabelsUnknown, StoreCounts, VariantStatistics

if TYPE_CHECKING:
    from noria.predictions.dataframe import inputs_of
    from noria.predictions.store import PredictionStore

__all__ = [
    "SMOKE",
    "Feedback",
    "LabelsUnknown",
    "PredictionStore",
    "StoreCounts",
    "VariantStatistics",
    "inputs_of",
]

_LAZY = {"PredictionStore": "noria.predictions.store", "inputs_of": "noria.predictions.dataframe"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
