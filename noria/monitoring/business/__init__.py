"""What the service is worth to the business: worth per day, and the business figure beside it."""

from noria.monitoring.business.daily_worth import joined_figure, joined_worth, usual_answer, worth_by_day
from noria.monitoring.business.figure import measure_figure
from noria.monitoring.business.pictures import figure_picture, worth_picture

__all__ = [
    "figure_picture",
    "joined_figure",
    "joined_worth",
    "measure_figure",
    "usual_answer",
    "worth_by_day",
    "worth_picture",
]
