"""Conversion of values to JSON."""

import math
from datetime import date

from noria.predictions.records import Value


def json_value(value: object) -> Value:
    """A number, text, truth value or None; missing and infinite numbers are None, dates are ISO 8601 text."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, date):  # datetimes and pandas timestamps too; a missing one is not equal to itself
        return value.isoformat() if value == value else None  # noqa: PLR0124
    unwrap = getattr(value, "item", None)  # a numpy scalar
    return json_value(unwrap()) if callable(unwrap) else str(value)
