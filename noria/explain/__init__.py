"""Why a model answered as it did: how much of one score each input column makes up. Imports numpy only."""

from noria.explain.background import stand_ins
from noria.explain.groups import groups_of
from noria.explain.shapley import Explanation, explain
from noria.explain.values import explain_values

__all__ = ["Explanation", "explain", "explain_values", "groups_of", "stand_ins"]
