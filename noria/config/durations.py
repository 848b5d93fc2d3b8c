"""Spans of time in a use case: `90m`, `3h`, `1d`, `2w`."""

from typing import Annotated

from pydantic import Field

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
Duration = Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,6})?[smhdw]$")]
"""A number with a unit: seconds, minutes, hours, days or weeks."""


def microseconds(duration: str) -> int:
    """The length of a span of time.

    >>> microseconds("3h") == 3 * 3600 * 1_000_000
    True
    """
    return round(float(duration[:-1]) * UNIT_SECONDS[duration[-1]] * 1_000_000)
