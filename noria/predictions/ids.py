"""The identifiers of predictions, labels and events."""

import os
import re
import time

RANDOM_FROM = 18
"""The first of the random digits, counted from 1: sorting by them shuffles."""

_VERSION_7 = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")


def new_ids(n: int) -> list[str]:
    """n identifiers that cannot be guessed: UUIDs of version 7 (RFC 9562), as 32 hexadecimal digits.

    They begin with the time, so that a store adds them at the end of its index instead of all over it.
    """
    now = f"{time.time_ns() // 1_000_000:012x}7"
    drawn = os.urandom(9 * n).hex()
    return [f"{now}{drawn[at : at + 3]}8{drawn[at + 3 : at + 18]}" for at in range(0, 18 * n, 18)]


def new_id() -> str:
    """One identifier, see `new_ids`."""
    return new_ids(1)[0]


def made_at(id: str) -> float | None:
    """When an identifier of `new_ids` was made, in seconds since 1970; None: it is none."""
    return int(id[:12], 16) / 1000 if _VERSION_7.fullmatch(id) else None
