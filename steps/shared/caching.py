"""Cache keys that see changes in `noria/`, which ZenML's own keys do not."""

import hashlib
from functools import cache

from zenml.config import CachePolicy

from noria.bundle.library_versions import libraries
from noria.system.workspace import PROJECT


@cache
def code_digest() -> str:
    """SHA-256 over every source file and template of `noria/`, by path and content, and its libraries' versions."""
    digest = hashlib.sha256(str(sorted(libraries("xgboost").items())).encode())
    for file in sorted((PROJECT / "noria").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(PROJECT)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


WITH_DOMAIN_CODE = CachePolicy(cache_func=code_digest)
"""Reuse a step's result only while its code, its inputs, all of `noria/` and its libraries stay the same."""
