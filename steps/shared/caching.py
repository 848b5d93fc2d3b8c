"""Cache keys that see changes in `noria/`, which ZenML's own keys do not."""

from zenml.config import CachePolicy

from noria.bundle.code_digest import code_digest

WITH_DOMAIN_CODE = CachePolicy(cache_func=code_digest)
"""Reuse a step's result only while its code, its inputs, all of `noria/` and its libraries stay the same."""
