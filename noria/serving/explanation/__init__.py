"""Explanations: the contribution of each input column to one score. Imports NumPy only."""

from noria.serving.explanation.column_groups import groups_of
from noria.serving.explanation.shapley import Explanation, explain
from noria.serving.explanation.value_shapley import explain_values

__all__ = ["Explanation", "explain", "explain_values", "groups_of"]
