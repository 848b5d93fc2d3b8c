"""What is done with the rows of a source, and what becomes of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from noria.batch.predict_chunks import PredictedChunk
from noria.engines import Engine

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class BatchJob:
    """How the rows of a source are predicted."""

    schema: "pa.Schema"
    """The columns of the output."""
    rows: int
    """In memory at once."""
    engine: Engine
    folder: str | None = None
    """Where workers write; None: the outcomes carry the rows."""


@dataclass(frozen=True)
class ChunkResult:
    """n consecutive rows."""

    rows: int
    bad: int
    """Rows without a prediction."""
    warned: int
    """Rows with something that the model has not seen in training."""
    aside: str
    """CSV without a header: number, reason and raw values of the bad rows."""
    table: "pa.Table | None"
    """(n, all columns) the rows with their answers; None: they are written already."""

    @classmethod
    def of(cls, answered: PredictedChunk, schema: "pa.Schema") -> "ChunkResult":
        """The outcome of rows that go into a file of this schema."""
        import pyarrow as pa

        columns = [*answered.chunk.kept.columns, *answered.columns.values()]
        table = pa.Table.from_arrays(columns, schema=schema)
        return cls(len(answered.bad), int(answered.bad.sum()), answered.warned, _aside(answered), table)


def _aside(answered: PredictedChunk) -> str:
    chunk, bad = answered.chunk, answered.bad
    if not bad.any():
        return ""
    rows = chunk.raw[bad]
    rows.insert(0, "reason", answered.columns["error"].to_pandas()[bad], allow_duplicates=True)
    rows.insert(0, "row", rows.index + chunk.first, allow_duplicates=True)
    return str(rows.to_csv(index=False, header=False))
