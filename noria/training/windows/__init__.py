"""Which rows to learn from (`data.window: auto`): a backtest on past periods, and the rule that chooses.

The backtest is imported when it is first asked for: steps and reports need its results only.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from noria.training.windows.results import WindowChoice, WindowTrial

if TYPE_CHECKING:
    from noria.training.windows.backtest import choose_training_window

__all__ = ["WindowChoice", "WindowTrial", "choose_training_window"]


def __getattr__(name: str) -> object:
    if name != "choose_training_window":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("noria.training.windows.backtest").choose_training_window
