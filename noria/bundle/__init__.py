"""The model bundle: one folder, the only thing that crosses from training to the world."""

from noria.bundle.bundle import Answers, Bundle
from noria.bundle.manifest import Manifest, Metric
from noria.bundle.writer import revise, write_bundle

__all__ = ["Answers", "Bundle", "Manifest", "Metric", "revise", "write_bundle"]
