"""The identifiers of predictions, labels and events."""

import os
import time

RANDOM_FROM = 18
"""The first of the random digits, counted from 1: sorting by them shuffles."""


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
