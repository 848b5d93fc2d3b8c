"""Labels wanted: which predictions should get a label, so that the next model learns most from it.

What reads a table is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noria.labelling.answers import read_answers
    from noria.labelling.candidates import read_candidates
    from noria.labelling.selection import WantedLabel, select_cases
    from noria.labelling.taking import take_answers

__all__ = ["WantedLabel", "read_answers", "read_candidates", "select_cases", "take_answers"]
_PLACES = {
    "WantedLabel": "selection",
    "read_answers": "answers",
    "read_candidates": "candidates",
    "select_cases": "selection",
    "take_answers": "taking",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
