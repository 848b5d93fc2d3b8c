"""What a preflight finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that would go wrong."""

    what: str
    fix: str
