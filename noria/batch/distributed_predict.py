"""Batch inference on many machines: pieces of a source are predicted wherever the engine has room.

A piece is some row groups of a Parquet file, or a block of CSV rows that one machine has split into fields. The results
come back in the order of the source.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import fsspec

from noria.batch.chunk import Chunk
from noria.batch.chunk_result import BatchJob, ChunkResult
from noria.batch.csv_parser import CsvParser, Fields
from noria.batch.csv_source import CsvSource
from noria.batch.parquet_folder import ParquetFiles, ParquetPiece
from noria.batch.parquet_source import ParquetSource
from noria.batch.predict_chunks import predict_chunks
from noria.bundle import Bundle
from noria.bundle.seal import MANIFEST, SEAL
from noria.config.load import expand_environment
from noria.data.table_files import open_file
from noria.engines import Handle
from noria.system.errors import NoriaError
from noria.system.files import write_failure


@dataclass(frozen=True)
class CsvBlock:
    """CSV rows, split into fields."""

    place: int
    """Which block of the file it is, from 0."""
    first: int
    """Number of its first row, from 1."""
    rows: list[Fields]
    parser: CsvParser


def predict_distributed(
    bundle: Bundle, source: CsvSource | ParquetFiles, job: BatchJob
) -> Generator[ChunkResult, None, None]:
    """What becomes of the rows, in order.

    Raises:
        NoriaError: a file cannot be read or written by the workers, or the engine cannot be used.
    """
    names = {*bundle.manifest.files, MANIFEST, SEAL}
    packed = job.engine.handle({name: (bundle.folder / name).read_bytes() for name in names})
    if isinstance(source, ParquetFiles):
        yield from job.engine.stream(list(source.pieces(job.rows)), _predict, packed=packed, job=job)
        return
    # split in one place, as only a reader of the whole file knows where a row ends
    expand = partial(_blocks, parser=source.parser, rows=job.rows)
    yield from job.engine.stream([source.where], _predict, expand=expand, packed=packed, job=job)


def _blocks(where: str, parser: CsvParser, rows: int) -> Iterator[CsvBlock]:
    with open_file(where, where=where) as handle:
        source = CsvSource(handle, where, parser.separator, parser.decimal, ())
        for place, (first, block) in enumerate(source.blocks(rows)):
            yield CsvBlock(place, first, block, parser)


def _predict(piece: ParquetPiece | CsvBlock, packed: Handle, job: BatchJob) -> Iterator[ChunkResult]:
    """One piece in, the result of each of its chunks out."""
    bundle = _bundle(packed)
    chunks = _chunks(piece, bundle.manifest.schema_.names, job.rows)
    ready = (ChunkResult.of(each, job) for each in predict_chunks(bundle, chunks, job.engine.cores))
    yield from ready if job.folder is None else _written(ready, job, piece.place)


@lru_cache(maxsize=1)
def _bundle(packed: Handle) -> Bundle:
    """The model, loaded once by each process."""
    with TemporaryDirectory(prefix="noria-") as folder:
        for name, content in packed.get().items():
            (Path(folder) / name).write_bytes(content)
        return Bundle.load(Path(folder))


def _chunks(piece: ParquetPiece | CsvBlock, inputs: list[str], rows: int) -> Iterator[Chunk]:
    if isinstance(piece, CsvBlock):
        yield piece.parser.chunk(piece.rows, piece.first, inputs)
        return
    with open_file(piece.file, where=piece.file) as handle:
        yield from ParquetSource(handle, piece.file).chunks(inputs, rows, first=piece.first, groups=piece.groups)


def _written(ready: Iterator[ChunkResult], job: BatchJob, place: int) -> Iterator[ChunkResult]:
    """Write one piece as a file of its own; yields the results without their rows."""
    import pyarrow.parquet as pq

    where = f"{job.folder}/part-{place:05d}.parquet"
    try:
        with (
            fsspec.open(expand_environment(where, where=where), "wb") as file,
            pq.ParquetWriter(file, job.schema, compression="zstd") as writer,
        ):
            for result in ready:
                writer.write_table(result.output)
                yield replace(result, output=None)
    except OSError as error:
        fix = "free some space, or name a folder or URL that every machine of the cluster can write to"
        raise NoriaError(
            f"a worker cannot write: {write_failure(error)}", code="batch.target_unwritable", where=where, fix=fix
        ) from error
