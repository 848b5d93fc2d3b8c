"""Numbers as a person reads them."""

import math

import numpy as np

NOTHING = "–"
_NO_BREAK = "\u00a0"


def count(value: float) -> str:
    """A whole number with thousands separators: `7,043`."""
    return f"{round(value):,}" if math.isfinite(value) else NOTHING


def percent(share: float | None, digits: int = 1) -> str:
    """A share (0 to 1) as a percentage: `26.5 %`; tiny ones as `< 0.1 %` and nearly all as `> 99.9 %`.

    The spaces do not break.
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    smallest = 10.0**-digits
    if 0 < 100 * share < smallest:
        return f"<{_NO_BREAK}{smallest:g}{_NO_BREAK}%"
    if 100 - smallest < 100 * share < 100:
        return f">{_NO_BREAK}{100 - smallest:g}{_NO_BREAK}%"
    return f"{100 * share:.{0 if share in (0, 1) else digits}f}{_NO_BREAK}%"


def number(value: float | None, digits: int = 4) -> str:
    """A number rounded to `digits` significant digits (at most to whole ones): `1,890`, `0.0231`, `5.2e-07`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 12:
        return f"{value:.{digits - 2}g}"
    places = max(0, digits - 1 - size)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(many: float, word: str) -> str:
    """`1 row`, `7,043 customers`."""
    if many == 1:
        return f"1 {word}"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{count(many)} {word[:-1]}ies"
    return f"{count(many)} {word}{'es' if word.endswith(('s', 'x', 'ch', 'sh')) else 's'}"


def date(seconds: float) -> str:
    """The day of an epoch time: `2011-01-31` (UTC)."""
    return str(np.datetime64(math.floor(seconds), "s").astype("datetime64[D]"))
