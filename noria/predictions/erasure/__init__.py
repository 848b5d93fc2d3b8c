"""Forgetting a case: erasing what was kept of it, and proving that it is gone."""

from noria.predictions.erasure.erase import Forgotten, forget
from noria.predictions.erasure.summary import facts, headline

__all__ = ["Forgotten", "facts", "forget", "headline"]
