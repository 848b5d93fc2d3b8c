"""The file that predictions go to: Parquet or CSV, as its ending says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from noria.batch.chunk_result import BatchJob, ChunkResult
from noria.data.table_files import Format
from noria.system.errors import NoriaError
from noria.system.files import atomic_path

_ENDINGS: dict[str, Format] = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}


def target_format(target: str) -> Format:
    """The format that the ending of `target` tells.

    Raises:
        NoriaError: the ending is another one.
    """
    found = _ENDINGS.get(Path(target).suffix.lower())
    if found is None:
        ending = Path(target).suffix
        raise NoriaError(
            f"predictions are written as CSV or Parquet, not as `{ending}`" if ending else "the name has no ending",
            code="batch.target_format_unknown",
            where=target,
            fix="let the name end in .csv or .parquet",
        )
    return found


@contextmanager
def writing_results(target: Path, job: BatchJob) -> Iterator[Callable[[ChunkResult], None]]:
    """A function that appends rows to `target`, which appears, or is replaced, when all went well.

    Raises:
        NoriaError: the target cannot be written.
    """
    with atomic_path(target) as part:
        if job.csv is not None:
            with part.open("w", encoding="utf-8", newline="") as handle:
                handle.write(job.csv.header(job.schema.names))
                yield lambda result: print(result.output, end="", file=handle)
            return
        import pyarrow.parquet as pq

        with pq.ParquetWriter(part, job.schema, compression="zstd") as writer:
            yield lambda result: writer.write_table(result.output)
