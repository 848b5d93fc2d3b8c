"""Every prediction that was answered, and the true labels that came later.

The store is imported when it is first asked for: what answers requests needs the records only, and no database.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from noria.predictions.records import SMOKE, Feedback, PredictionRecord, StoreCounts, VariantStatistics

if TYPE_CHECKING:
    from noria.predictions.dataframe import inputs_of
    from noria.predictions.store import PredictionStore

__all__ = [
    "SMOKE",
    "Feedback",
    "PredictionRecord",
    "PredictionStore",
    "StoreCounts",
    "VariantStatistics",
    "inputs_of",
]

_LATE = {"PredictionStore": "noria.predictions.store", "inputs_of": "noria.predictions.dataframe"}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
