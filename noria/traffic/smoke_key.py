"""The key that a deployment's smoke tests carry, so that no other client can mark its requests as such.

It is a file in the service's folder, which only the user who deploys can read, and exists during the test alone.
"""

import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE = "smoke.key"


@contextmanager
def smoke_key(folder: Path) -> Iterator[str]:
    """A new key that the service accepts until the block ends.

    Args:
        folder: the service's folder.
    """
    path, key = folder / _FILE, secrets.token_urlsafe(32)
    path.unlink(missing_ok=True)  # of a deployment that was killed
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key)
    try:
        yield key
    finally:
        path.unlink(missing_ok=True)


def is_smoke_key(folder: Path | None, given: bytes) -> bool:
    """Whether this is the key of the deployment under way; False if there is none."""
    try:
        key = b"" if folder is None else (folder / _FILE).read_bytes()
    except OSError:
        return False
    return bool(key) and hmac.compare_digest(given, key)
