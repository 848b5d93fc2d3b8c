"""The model bundle: one folder, the only thing that crosses from training to the world."""

from noria.bundle.bundle import Bundle, ScoredRows
from noria.bundle.manifest import Manifest, MetricsOrigin, MetricValue, learning_facts
from noria.bundle.writer import revise_bundle, write_bundle

__all__ = [
    "Bundle",
    "Manifest",
    "MetricValue",
    "MetricsOrigin",
    "ScoredRows",
    "learning_facts",
    "revise_bundle",
    "write_bundle",
]
