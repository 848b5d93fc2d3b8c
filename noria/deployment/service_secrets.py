"""Secrets, which come from the environment only: the service's tokens and the key of its hashes."""

import hashlib
import ipaddress
import os
from pathlib import Path

from noria.system.errors import NoriaError

TOKENS = ("NORIA_PREDICT_TOKEN", "NORIA_FEEDBACK_TOKEN", "NORIA_ADMIN_TOKEN")
_ALL = (*TOKENS, "NORIA_PRIVACY_KEY", "NORIA_PREDICTIONS_URL")
_ROUNDS = 200_000


def require_tokens(host: str) -> None:
    """Check that a server that others can reach has tokens.

    Raises:
        NoriaError: the address is reachable from other machines, and a token is missing.
    """
    if ipaddress.ip_address(host).is_loopback:
        return
    missing = [name for name in TOKENS if not os.environ.get(name)]
    if missing:
        raise NoriaError(
            f"{host} is reachable by others, and the service has no tokens: {', '.join(missing)} not set",
            code="deployment.tokens_missing",
            where="serving.host",
            fix=f"export {missing[0]}=$(openssl rand -hex 32), and likewise each, or set serving.host to 127.0.0.1",
        )


def secrets_fingerprint(folder: Path) -> str:
    """A digest of the secrets that detects changes; slow to compute, so that they cannot be guessed from it."""
    text = "\0".join(os.environ.get(name, "") for name in _ALL)
    return hashlib.pbkdf2_hmac("sha256", text.encode(), str(folder).encode(), _ROUNDS).hex()[:16]
