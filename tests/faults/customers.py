"""Customers who stay or leave, as columns of texts that a test writes in its own way."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

ROWS = 240


def customers(drive: Sequence[float] | None = None, **columns: Sequence[object]) -> dict[str, Sequence[object]]:
    """Columns age, visits, plan, those given, and left, of 240 customers.

    Args:
        drive: (240,) what makes a customer leave, besides the age; best around 0 with a spread of 1.
        columns: (240,) each.
    """
    draw = np.random.default_rng(3)
    age, visits = draw.integers(18, 80, ROWS), draw.integers(0, 30, ROWS)
    plan = draw.choice(["basic", "plus", "pro"], ROWS)
    wish = (age - 49) / 40 + draw.normal(0, 0.8, ROWS) + (0.8 * np.asarray(drive) if drive is not None else 0.0)
    left = np.where(wish > np.median(wish), "yes", "no")
    return {
        "age": age.tolist(),
        "visits": visits.tolist(),
        "plan": plan.tolist(),
        **columns,
        "left": left.tolist(),
    }


def amounts() -> list[float]:
    """(240,) amounts from 4.11 to 7,987.52, most above 1,000."""
    draw = np.random.default_rng(5)
    return np.round(np.concatenate([[4.11, 7987.52], draw.uniform(5, 7900, ROWS - 2)]), 2).tolist()


def spread(values: Sequence[float]) -> list[float]:
    """The values with a mean of 0 and a deviation of 1."""
    array = np.asarray(values, dtype=float)
    return ((array - array.mean()) / array.std()).tolist()


def cycled(values: Sequence[object]) -> list[object]:
    """(240,) the values in turn, shuffled."""
    order = np.random.default_rng(7).permutation(ROWS)
    return [values[place % len(values)] for place in order]


def drive_of(column: Sequence[object]) -> list[float]:
    """(240,) a drive that depends on which of its different values a column has."""
    different = list(dict.fromkeys(column))
    push = {value: (-1.0) ** place * (0.5 + place / len(different)) for place, value in enumerate(different)}
    return [push[value] for value in column]


def days() -> list[datetime]:
    """(240,) days of 2023 and 2024, not in order, the thirteenth to the last of a month as often as the others."""
    draw = np.random.default_rng(11)
    return [datetime(2023, 1, 1) + timedelta(days=int(day)) for day in draw.permutation(731)[:ROWS]]


def grouped(number: float, mark: str, decimal: str, digits: int = 2) -> str:
    """A number with groups of thousands."""
    return f"{number:,.{digits}f}".replace(",", "_").replace(".", decimal).replace("_", mark)
