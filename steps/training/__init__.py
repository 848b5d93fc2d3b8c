"""The steps of the training pipeline, in the order in which they run."""

from steps.training.ingest import ingest
from steps.training.validate import validate

from steps.training.explore import explore  # isort: skip
from steps.training.choose_window import choose_window
from steps.training.evaluate import evaluate
from steps.training.gate import gate
from steps.training.refit import refit
from steps.training.register import register
from steps.training.select import select
from steps.training.split import split
from steps.training.train_candidates import train_candidates
from steps.training.tune import tune

__all__ = [
    "choose_window",
    "evaluate",
    "explore",
    "gate",
    "ingest",
    "refit",
    "register",
    "select",
    "split",
    "train_candidates",
    "tune",
    "validate",
]
