"""Features that are counted from earlier cases: `features.history`.

One definition serves both places. `add_history` computes the features of a whole table, for training; `HistoryState`
keeps them up to date case by case, for serving. What counts is in `noria.history.windows`.
"""

from noria.history.state import HistoryState
from noria.history.table import add_history

__all__ = ["HistoryState", "add_history"]
