"""Synthetic examples: rows that belong to no real case, since their columns are drawn one by one.

A drawn row shows how a request is written, and the model answers it, but no case of the training data is in it: what
several columns say together comes from several cases, and values that few rows have are not used.
"""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.schema import Column, InputSchema

ROWS = 5
PLACEHOLDER = "example"
_SHARED_BY = 10
"""As many training rows must have a value before an example shows it as it is."""
_BULK = (0.05, 0.95)
"""Quantiles between which numbers are drawn: the largest and the smallest may tell who they belong to."""
_MOST_DECIMALS = 6

Values = list[Any]


def synthetic_rows(train: pd.DataFrame, schema: InputSchema, *, seed: int) -> list[dict[str, Any]]:
    """Five rows as a request brings them, in JSON, each column drawn independently from its training values.

    Numbers and dates are drawn between the 5th and the 95th percentile. A value is used as it is if at least ten rows
    have it. Otherwise a number or date lies between two, and a category is a placeholder. A column that is always
    missing, or that the schema would not read so, is null.

    Args:
        train: n training rows.
        schema: the model's inputs.
        seed: the same rows each time.
    """
    generator = np.random.default_rng(seed)
    typed = schema.check(train).frame
    asked = schema.model_copy(update={"columns": schema.asked})
    columns = {column.name: _drawn(column, typed[column.name].dropna(), generator) for column in asked.columns}
    if any(asked.check(pd.DataFrame(columns, dtype=object)).errors):
        nothing: dict[str, Values] = {name: [None] * ROWS for name in columns}
        for name, values in columns.items():
            if any(asked.check(pd.DataFrame(nothing | {name: values}, dtype=object)).errors):
                columns[name] = nothing[name]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _drawn(column: Column, known: "pd.Series[Any]", generator: np.random.Generator) -> Values:
    if known.empty:
        return [None] * ROWS
    if column.kind == "category":
        return _categories(column, known, generator)
    if column.kind == "number":
        return _numbers(known.to_numpy(dtype=np.float64), generator)
    return _dates(column, known, generator)


def _categories(column: Column, known: "pd.Series[Any]", generator: np.random.Generator) -> Values:
    counts = known.map(str).value_counts()
    shared = counts[counts >= _SHARED_BY]
    if shared.empty:
        return [PLACEHOLDER] * ROWS
    texts = [str(text) for text in generator.choice(shared.index.to_numpy(), ROWS, p=shared / shared.sum())]
    return [text == "True" for text in texts] if column.is_boolean else list(texts)


def _numbers(known: NDArray[np.float64], generator: np.random.Generator) -> Values:
    places = generator.uniform(*_BULK, ROWS)
    digits = next((n for n in range(_MOST_DECIMALS) if np.array_equal(np.round(known, n), known)), _MOST_DECIMALS)
    values = [float(value) for value in _between(known, places, digits)]
    return [int(value) for value in values] if digits == 0 else values


def _dates(column: Column, known: "pd.Series[Any]", generator: np.random.Generator) -> Values:
    seconds = known.to_numpy().astype("datetime64[s]").astype(np.int64)
    day = 86_400
    unit = day if not (seconds % day).any() else 1
    drawn = _between(seconds / unit, generator.uniform(*_BULK, ROWS), 0) * unit
    moments = [dt.datetime.fromtimestamp(int(moment), dt.UTC) for moment in drawn]
    zone = "Z" if column.reading.timezone == "offset" else ""
    return [moment.strftime("%Y-%m-%dT%H:%M:%S") + zone for moment in moments]


def _between(known: NDArray[np.float64], places: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """(r,) values at these quantiles: those of many rows as they are, others between two, rounded."""
    nearest = np.quantile(known, places, method="nearest")
    values, counts = np.unique(known, return_counts=True)
    shared = counts[np.searchsorted(values, nearest)] >= _SHARED_BY
    found: NDArray[np.float64] = np.where(shared, nearest, np.round(np.quantile(known, places), digits))
    return found
