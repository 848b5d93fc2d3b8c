"""The replay: a past period asked case by case, and what other ways to retrain would have come to on the same cases.

`Schedule` puts the cases and their labels in the order in which they came, `fit_models` fits a model for each period,
and `compare_worlds` weighs the ways to retrain against one another.
"""

from noria.loop.replay.models import PeriodModels, fit_models
from noria.loop.replay.schedule import Hour, Schedule
from noria.loop.replay.worlds import ServedAnswers, World, compare_worlds, on_drifted_columns

__all__ = [
    "Hour",
    "PeriodModels",
    "Schedule",
    "ServedAnswers",
    "World",
    "compare_worlds",
    "fit_models",
    "on_drifted_columns",
]
