"""Why a model answered as it did: how much of one score each input column makes up. Imports numpy only."""

from noria.serving.explanation.column_groups import groups_of
from noria.serving.explanation.shapley import Explanation, explain
from noria.serving.explanation.value_shapley import explain_values

__all__ = ["Explanation", "explain", "explain_values", "groups_of"]
