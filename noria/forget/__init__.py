"""Forgetting a case: erasing what was kept of it, and proving that it is gone."""

from noria.forget.forget import Forgotten, forget
from noria.forget.words import facts, headline

__all__ = ["Forgotten", "facts", "forget", "headline"]
