"""Learning how the values of a column are read."""

from noria.tabular.inference.learn import is_text, learn_reading
from noria.tabular.inference.text_column import LearnedReading

__all__ = ["LearnedReading", "is_text", "learn_reading"]
