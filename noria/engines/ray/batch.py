"""Batch inference on a Ray cluster, by Ray Data: its workers read a source piece by piece and answer the rows.

A piece is some row groups of a Parquet file, or a block of CSV rows that one worker has told into fields. The outcomes
come back in the order of the source.
"""

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fsspec
import numpy as np
import pyarrow.parquet as pq
import ray
import ray.data
from numpy.typing import NDArray
from ray.data import DataContext, Dataset
from ray.data.exceptions import ExecutionTimeoutError

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
from noria.engines.ray.cluster import cause_of, connect
from noria.system.errors import NoriaError
from noria.system.files import write_failure
from noria.system.signals import raise_if_stopped

_ITEM = "item"
Batch = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Block:
    """CSV rows, told into fields."""

    place: int
    """Which block of the file it is, from 0."""
    first: int
    """Number of its first row, from 1."""
    rows: list[Fields]
    parser: CsvParser


def outcomes(bundle: Bundle, source: CsvSource | ParquetFiles, work: BatchJob) -> Generator[ChunkResult, None, None]:
    """What becomes of the rows, in order.

    Raises:
        NoriaError: a file cannot be read or written by the workers, or the cluster cannot be used.
    """
    connect(work.engine)
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what goes wrong is raised here
    with DataContext.current(_context()), raise_if_stopped():
        found = _answered(_spread(source, work.rows), bundle, work)
        try:
            for batch in found.iter_batches(batch_size=None, batch_format="numpy"):
                for outcome in batch[_ITEM]:
                    if isinstance(outcome, NoriaError):
                        raise outcome
                    yield outcome
        except (ray.exceptions.RayError, ExecutionTimeoutError, ConnectionError) as error:
            raise cause_of(error) from error


def _context() -> DataContext:
    context = DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # what is ready goes on at once
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return context


def _spread(source: CsvSource | ParquetFiles, rows: int) -> Dataset:
    if isinstance(source, ParquetFiles):
        pieces = list(source.pieces(rows))
        return ray.data.from_items(pieces, override_num_blocks=max(len(pieces), 1))
    # told into fields in one place, as nobody else knows where a row ends; it waits most of the time
    return ray.data.from_items([source.where]).map_batches(
        _blocks, batch_format="numpy", num_cpus=0, fn_kwargs={"parser": source.parser, "rows": rows}
    )


def _answered(pieces: Dataset, bundle: Bundle, work: BatchJob) -> Dataset:
    names = {*bundle.manifest.files, MANIFEST, SEAL}
    packed = ray.put({name: (bundle.folder / name).read_bytes() for name in names})
    return pieces.map_batches(
        _answers,
        batch_size=1,
        batch_format="numpy",
        num_cpus=work.engine.cores,
        fn_kwargs={"packed": packed, "work": work},
    )


def _blocks(batch: Batch, parser: CsvParser, rows: int) -> Iterator[Batch]:
    where = str(batch[_ITEM][0])
    try:
        with open_file(where, where=where) as handle:
            source = CsvSource(handle, where, parser.separator, parser.decimal, ())
            for place, (first, block) in enumerate(source.blocks(rows)):
                yield _item(Block(place, first, block, parser))
    except NoriaError as error:
        yield _item(error)


def _answers(batch: Batch, packed: Any, work: BatchJob) -> Iterator[Batch]:
    """One piece in, the outcome of each of its chunks out; an error that a person can mend is an outcome too."""
    piece = batch[_ITEM][0]
    try:
        if isinstance(piece, NoriaError):
            raise piece
        bundle = _bundle(packed)
        chunks = _chunks(piece, bundle.manifest.schema_.names, work.rows)
        ready = (ChunkResult.of(each, work.schema) for each in predict_chunks(bundle, chunks, work.engine.cores))
        yield from map(_item, ready if work.folder is None else _written(ready, work, piece.place))
    except NoriaError as error:
        yield _item(error)


@lru_cache(maxsize=1)
def _bundle(packed: Any) -> Bundle:
    """The model, loaded once by each process of the cluster."""
    with TemporaryDirectory(prefix="noria-") as folder:
        for name, content in ray.get(packed).items():
            (Path(folder) / name).write_bytes(content)
        return Bundle.load(Path(folder))


def _chunks(piece: ParquetPiece | Block, inputs: list[str], rows: int) -> Iterator[Chunk]:
    if isinstance(piece, Block):
        yield piece.parser.chunk(piece.rows, piece.first, inputs)
        return
    with open_file(piece.file, where=piece.file) as handle:
        yield from ParquetSource(handle, piece.file).chunks(inputs, rows, first=piece.first, groups=piece.groups)


def _written(ready: Iterator[ChunkResult], work: BatchJob, place: int) -> Iterator[ChunkResult]:
    """Write one piece as a file of its own; the outcomes without their rows."""
    where = f"{work.folder}/part-{place:05d}.parquet"
    try:
        with (
            fsspec.open(expand_environment(where, where=where), "wb") as file,
            pq.ParquetWriter(file, work.schema, compression="zstd") as writer,
        ):
            for outcome in ready:
                writer.write_table(outcome.table)
                yield replace(outcome, table=None)
    except OSError as error:
        fix = "free some space, or name a folder or URL that every machine of the cluster can write to"
        raise NoriaError(f"a worker cannot write: {write_failure(error)}", where=where, fix=fix) from error


def _item(value: Any) -> Batch:
    items = np.empty(1, dtype=object)
    items[0] = value
    return {_ITEM: items}
