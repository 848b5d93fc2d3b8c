"""What the service is worth to the business: worth per day, and the business figure beside it.

What computes them is imported when it is first asked for: the pages need the results alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from noria.monitoring.business.joined import joined_figure, joined_worth
from noria.monitoring.business.pictures import error_picture, figure_picture, worth_picture

if TYPE_CHECKING:
    from noria.monitoring.business.daily_worth import usual_answer, worth_by_day
    from noria.monitoring.business.figure import measure_figure

__all__ = [
    "error_picture",
    "figure_picture",
    "joined_figure",
    "joined_worth",
    "measure_figure",
    "usual_answer",
    "worth_by_day",
    "worth_picture",
]
_PLACES = {"measure_figure": "figure", "usual_answer": "daily_worth", "worth_by_day": "daily_worth"}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
