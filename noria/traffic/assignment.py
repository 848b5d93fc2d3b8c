"""Assignment of cases to variants: a case always gets the same variant as long as the shares stay.

Weighted rendezvous hashing: every variant draws a score from a hash of its name and the case, and the best score
wins. A variant whose share grows keeps all its cases, and one that leaves hands its cases to the others by their
shares. Sources: D. Thaler and C. Ravishankar, Using name-based mappings to increase hit rates, IEEE/ACM Transactions
on Networking 6, 1998; for weights, C. Schindelhauer and G. Schomaker, Weighted distributed hash tables, SPAA 2005.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import log

from noria.traffic.activation import PlannedVariant

_STEPS = 1 << 52  # so many that are exact as floats, and all of (n + 0.5) / _STEPS lie between 0 and 1


class Assigner:
    """Picks one of the variants for a case; safe for several threads."""

    def __init__(self, variants: Sequence[PlannedVariant]) -> None:
        answering = [place for place, variant in enumerate(variants) if variant.share > 0]
        self.only = answering[0] if len(answering) == 1 else None
        """Position of the variant that answers all cases; None: several share them."""
        self._candidates = [(place, variants[place].share, _salt(place, variants[place])) for place in answering]
        self.shadows = [place for place, variant in enumerate(variants) if variant.shadow]
        """Positions of the shadow variants, which predict every case but answer none."""

    def pick(self, case: str) -> int:
        """The position of the variant that answers this case, the same on every machine."""
        if self.only is not None:
            return self.only
        key = case.encode("utf-8", "surrogatepass")
        return max(self._candidates, key=lambda each: each[1] / -log(_uniform(key, each[2])))[0]


def _salt(place: int, variant: PlannedVariant) -> bytes:
    # with the version, so that successive challengers get different cases
    text = variant.name if place == 0 else f"{variant.name} {variant.version}"
    return blake2b(text.encode(), digest_size=16).digest()


def _uniform(key: bytes, salt: bytes) -> float:
    """Above 0 and below 1."""
    drawn = int.from_bytes(blake2b(key, digest_size=8, key=salt).digest(), "big") >> 12
    return (drawn + 0.5) / _STEPS
