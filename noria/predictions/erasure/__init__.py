"""Erasure of a case: removing everything stored about it, and verifying that."""

from noria.predictions.erasure.erase import ErasureResult, erase_entity
from noria.predictions.erasure.summary import facts, headline

__all__ = ["ErasureResult", "erase_entity", "facts", "headline"]
