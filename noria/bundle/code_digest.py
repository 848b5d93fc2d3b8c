"""A digest of the code that makes models, which decides what need not be done again."""

import hashlib
from functools import cache

from noria.bundle.library_versions import libraries
from noria.system.workspace import PROJECT


@cache
def code_digest(*folders: str) -> str:
    """SHA-256 over every source file and template, by path and content, and the versions of the models' libraries.

    Args:
        folders: which folders of the project count beside `noria/`.
    """
    digest = hashlib.sha256(str(sorted(libraries("xgboost").items())).encode())
    for folder in ("noria", *folders):
        for file in sorted((PROJECT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(PROJECT)).encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
