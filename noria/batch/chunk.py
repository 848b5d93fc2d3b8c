"""A piece of the input, small enough for memory."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Chunk:
    """n consecutive rows."""

    first: int
    """Number of the first row in the file, counted from 1 (a header does not count)."""
    kept: "pa.Table"
    """(n, all columns) what goes into the output as it is."""
    inputs: pd.DataFrame
    """(n, the model's columns) what the model is asked about, with an index from 0."""
    raw: pd.DataFrame
    """(n, all columns) the values as they came, for the quarantine."""
    faults: dict[int, str] = field(default_factory=dict)
    """Row (from 0) → why it could not be read at all."""
