"""What a preflight finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PreflightFinding:
    """Something that would go wrong."""

    what: str
    fix: str
