"""A piece of the input, small enough for memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
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
    read: "Callable[[pa.Table | None], tuple[pd.DataFrame, pd.DataFrame]]"
    """Makes `inputs` and `raw` of some of the rows, or of all."""
    is_typed: bool = False
    """Whether the columns of `kept` have the types that the values have."""
    faults: dict[int, str] = field(default_factory=dict)
    """Row (from 0) → why it could not be read at all."""

    @cached_property
    def _all(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return self.read(None)

    @property
    def inputs(self) -> pd.DataFrame:
        """(n, the model's columns) what the model is asked about, with an index from 0."""
        return self._all[0]

    @property
    def raw(self) -> pd.DataFrame:
        """(n, all columns) the values as they came, for the quarantine."""
        return self._all[1]
