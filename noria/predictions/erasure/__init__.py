"""Forgetting a case: erasing what was kept of it, and proving that it is gone."""

from noria.predictions.erasure.erase import ErasureResult, erase_entity
from noria.predictions.erasure.summary import facts, headline

__all__ = ["ErasureResult", "erase_entity", "facts", "headline"]
