"""What in a component's configuration is a secret, and whether it is written out."""

import re
from typing import Any

_SECRET = re.compile(r"(password|passwd|token|secret|api_?key|access_?key|account_?key|private_?key|credential)", re.I)
_NAMES_ONE = re.compile(r"(_secret|_secret_name|_path|_file|_name|_uri|_url)$", re.I)
"""Keys that say where a secret is: `authentication_secret`, `credentials_path`."""
_REFERENCE = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}|\{\{\s*[\w-]+\.[\w-]+\s*\}\}")


def looks_secret(key: str) -> bool:
    """Does the key's name say that its value is a secret itself?"""
    return bool(_SECRET.search(key)) and not _NAMES_ONE.search(key)


def only_referenced(value: Any) -> bool:
    """Is the value a reference: `${env:NAME}` or `{{secret.key}}`? What is no text is no secret."""
    return not isinstance(value, str) or not value or _REFERENCE.fullmatch(value.strip()) is not None


def leaves(value: Any, key: str = "") -> list[tuple[str, Any]]:
    """The single values of a configuration, each with the key that it stands under."""
    if isinstance(value, dict):
        return [leaf for name, each in value.items() for leaf in leaves(each, str(name))]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each, key)]
    return [(key, value)]
