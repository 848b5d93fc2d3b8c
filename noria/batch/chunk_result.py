"""What is done with the rows of a source, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from noria.batch.predict_chunks import NAMES, PredictedChunk
from noria.engines import Engine
from noria.tabular.spreadsheet_text import for_people

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CsvDialect:
    """How CSV is written."""

    separator: str
    decimal: str

    def header(self, names: Sequence[str]) -> str:
        """The first line."""
        return self.lines(pd.DataFrame(columns=list(names)), header=True)

    def lines(self, rows: pd.DataFrame, *, header: bool = False) -> str:
        """The rows as text, with a line break at the end; missing values are empty."""
        return str(
            rows.to_csv(index=False, header=header, sep=self.separator, decimal=self.decimal, lineterminator="\n")
        )


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
    csv: CsvDialect | None = None
    """Of the output; None: it is Parquet."""
    id: str | None = None
    """The column that names a case, by which files are joined: CSV has it as it came."""
    history: pd.DataFrame | None = None
    """The features of earlier cases, a row for each row of the source; None: the model has none."""


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
    output: "pa.Table | str | None"
    """(n, all columns) the rows with their answers, a table or CSV without a header; None: they are written already."""

    @classmethod
    def of(cls, answered: PredictedChunk, job: BatchJob) -> "ChunkResult":
        """The outcome of the rows, for the output of `job`."""
        import pyarrow as pa

        if job.csv is None:
            columns = [*answered.chunk.kept.columns, *answered.columns.values()]
            output = pa.Table.from_arrays(columns, schema=job.schema)
        else:
            output = job.csv.lines(for_people(_with_answers(answered), keep=[job.id, "prediction"]))
        return cls(len(answered.bad), int(answered.bad.sum()), answered.warned, _aside(answered), output)


def _with_answers(answered: PredictedChunk) -> pd.DataFrame:
    """(n, all columns) the values as they came, and the answers; a name may come twice."""
    answers = pd.DataFrame({name: answered.columns[name].to_pandas() for name in NAMES})
    return pd.concat([answered.chunk.raw, answers], axis=1)


def _aside(answered: PredictedChunk) -> str:
    chunk, bad = answered.chunk, answered.bad
    if not bad.any():
        return ""
    rows = chunk.raw[bad]
    about = pd.DataFrame({"row": rows.index + chunk.first, "reason": answered.columns["error"].to_pandas()[bad]})
    return str(for_people(pd.concat([about, rows], axis=1)).to_csv(index=False, header=False))
