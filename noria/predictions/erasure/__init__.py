"""Erasure of a case: removing everything stored about it, and verifying that."""

from noria.predictions.erasure.entity_matcher import EntityMatcher
from noria.predictions.erasure.erase import ErasureResult, erase_entity
from noria.predictions.erasure.reach import BundleErasure, Reach
from noria.predictions.erasure.summary import facts, headline

__all__ = ["BundleErasure", "EntityMatcher", "ErasureResult", "Reach", "erase_entity", "facts", "headline"]
