"""Predicting a whole file in bounded memory."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import pandas as pd

from noria.batch.chunk_result import BatchJob, ChunkResult, CsvDialect
from noria.batch.csv_source import CsvSource
from noria.batch.distributed_predict import predict_distributed
from noria.batch.file_history import file_history
from noria.batch.parquet_folder import ParquetFiles, is_folder, list_parquet_files, staged
from noria.batch.predict_chunks import NAMES, column_types, predict_chunks
from noria.batch.quarantine import Quarantine
from noria.batch.target_file import target_format, writing_results
from noria.bundle import Bundle
from noria.config.engine import EngineConfig
from noria.config.section import Section
from noria.data.table_files import format_of, open_file
from noria.engines import engine_of
from noria.reporting import count
from noria.schema.row_check import check_names
from noria.system import progress
from noria.system.errors import NoriaError
from noria.tabular.names import set_apart

if TYPE_CHECKING:
    import pyarrow as pa

Source = CsvSource | ParquetFiles
_IN_FILE = " (in the file)"


class BatchSummary(Section):
    """What became of a file."""

    source: str
    """What was read."""
    target: str
    """The CSV or Parquet file, or the folder of Parquet files, with the input columns and the predictions."""
    rows: int
    """Rows in, and rows out."""
    quarantined: int
    """Rows without a prediction; the output says why, and so does the quarantine file."""
    warned: int
    """Rows with something that the model has not seen in training."""
    quarantine: str | None
    """The quarantine file; None if there was nothing to quarantine."""
    seconds: float
    """How long it took."""


def predict_file(
    bundle: Bundle,
    source: Path | str,
    target: Path | str,
    *,
    chunk_rows: int,
    quarantine: Path,
    separator: str = ",",
    decimal: str = ".",
    engine: EngineConfig | None = None,
) -> BatchSummary:
    """Predict every row of a CSV or Parquet file, or of a folder of Parquet files.

    The output holds the input columns and prediction, probability, decision, warning and error, one row for each row
    in, in the same order. In Parquet, Parquet columns keep their types; from CSV the model's numbers become numbers
    and all else stays text. In CSV, what is missing is empty, and values are as they came, except for texts that a
    spreadsheet would take for formulas (see `for_people`); identifiers and predictions are never changed. A column of
    the source that is named like one of a prediction, such as `error`, is there as `error (in the file)`. A row that
    cannot be predicted has no prediction and says why in `error`. Features of earlier cases are computed from the
    cases that the model has learned and from the file itself, of which a first look reads the columns for them.

    Args:
        bundle: the model.
        source: CSV or Parquet, a local path or an fsspec URL; compressed CSV too. A folder, or a glob such as
            `FOLDER/2026-*.parquet`: its Parquet files in the order of their names, as if they were one.
        target: file that ends in .csv, .parquet or .pq; it appears when it is complete. If it ends with `/`: a folder
            or fsspec URL for part-00000.parquet and so on, written by the workers of a Ray cluster.
        chunk_rows: rows in memory at once; on a cluster, of each worker.
        quarantine: CSV file for the rows without a prediction: their number in the source, the reason, and the values
            as they came. Written only if there are such rows; one from an earlier run is removed otherwise.
        separator: of CSV files, source and target.
        decimal: decimal mark of CSV files, source and target.
        engine: where the work is done; None: here. The machines of a cluster read the source, so that it must be a
            path or URL that all of them reach.

    Raises:
        NoriaError: the source cannot be read, has no rows or lacks a column of the model (nothing is written then),
            the target cannot be written, or the cluster cannot be used.
    """
    import pyarrow as pa

    started = time.perf_counter()
    config = engine or EngineConfig()
    check_places(str(source), str(target), quarantine, config)
    history = None
    if bundle.manifest.schema_.history is not None:
        _refuse_cluster(config)
        with _opened(bundle, str(source), separator, decimal) as rows:
            _check_names(bundle, rows.names, str(source))
            history = file_history(bundle, rows.chunks(_asked(bundle), chunk_rows))
    with _opened(bundle, str(source), separator, decimal) as rows:
        _check_names(bundle, rows.names, str(source))
        schema = pa.schema([*_apart(rows.schema), *column_types(bundle).items()])
        is_csv = not str(target).endswith("/") and target_format(str(target)) == "csv"
        csv = CsvDialect(separator, decimal) if is_csv else None
        job = BatchJob(schema, chunk_rows, engine_of(config), csv=csv, id=bundle.manifest.id, history=history)
        counts = _write(bundle, rows, str(target), quarantine, job)
    seconds = time.perf_counter() - started
    progress.stage("predict", f"{count(counts['rows'])} rows in {seconds:.1f} s, {count(counts['bad'])} quarantined")
    return BatchSummary(
        source=str(source),
        target=str(target),
        rows=counts["rows"],
        quarantined=counts["bad"],
        warned=counts["warned"],
        quarantine=str(quarantine) if counts["bad"] else None,
        seconds=seconds,
    )


def check_places(source: str, target: str, quarantine: Path, engine: EngineConfig) -> None:
    """Whether predictions may be written there; needs no model, so that it can be asked before anything is started.

    Raises:
        NoriaError: `predict_file` would refuse these places.
    """
    if target.endswith("/"):
        if not engine_of(engine).is_distributed:
            fix = "name a file that ends in .csv or .parquet, or say `engine: ray` in the use case"
            raise NoriaError(
                "a folder of predictions is written by the workers of Ray",
                code="batch.folder_needs_ray",
                where=target,
                fix=fix,
            )
    elif target_format(target) and "://" in target:
        fix = "name a local file, or let the URL end with `/` where `engine: ray` is said: a folder is written"
        raise NoriaError(
            "a single file of predictions is written to this machine", code="batch.target_remote", where=target, fix=fix
        )
    places = [Path(source).resolve(), Path(target).resolve(), quarantine.resolve()]
    if len(set(places)) < len(places):
        raise NoriaError(
            "source, target and quarantine must be three files",
            code="batch.places_equal",
            where=target,
            fix="name another file",
        )


@contextmanager
def _opened(bundle: Bundle, source: str, separator: str, decimal: str) -> Iterator[Source]:
    if is_folder(source) or format_of(source) == "parquet":
        yield ParquetFiles(list_parquet_files(source) if is_folder(source) else [source], source)
        return
    with open_file(source, where=source) as handle:
        yield CsvSource(handle, source, separator, decimal, bundle.manifest.schema_.asked)


def _check_names(bundle: Bundle, names: list[str], source: str) -> None:
    try:
        check_names(bundle.manifest.schema_.asked, pd.DataFrame(columns=names))
    except NoriaError as error:
        raise NoriaError(error.what, code=error.code, where=source, fix=error.fix) from error


def _apart(schema: "pa.Schema") -> "pa.Schema":
    """The columns of the file, of which those with the name of a prediction's column get one of their own."""
    import pyarrow as pa

    taken = [*NAMES, *schema.names]
    names = [set_apart(name, taken, _IN_FILE) if name in NAMES else name for name in schema.names]
    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


def _write(bundle: Bundle, source: Source, target: str, quarantine: Path, work: BatchJob) -> dict[str, int]:
    counts = {"rows": 0, "bad": 0, "warned": 0}
    with Quarantine(quarantine, source.names) as aside, _kept(bundle, source, target, work) as outcomes:
        for outcome in outcomes:
            aside.add(outcome.aside)
            counts["rows"] += outcome.rows
            counts["bad"] += outcome.bad
            counts["warned"] += outcome.warned
            progress.tick(f"{count(counts['rows'])} rows predicted")
        if not counts["rows"]:
            raise NoriaError(
                "the file holds no rows", code="data.table_empty", where=source.where, fix="bring a file with rows"
            )
    return counts


@contextmanager
def _kept(bundle: Bundle, source: Source, target: str, work: BatchJob) -> Iterator[Iterator[ChunkResult]]:
    """The outcomes, which go to the target on their way."""
    if target.endswith("/"):
        with staged(target) as folder, closing(_outcomes(bundle, source, replace(work, folder=folder))) as outcomes:
            yield outcomes
        return
    with writing_results(Path(target), work) as write, closing(_outcomes(bundle, source, work)) as outcomes:
        yield _written(outcomes, write)


def _written(outcomes: Iterator[ChunkResult], write: Callable[[ChunkResult], None]) -> Iterator[ChunkResult]:
    for outcome in outcomes:
        write(outcome)
        yield outcome


def _outcomes(bundle: Bundle, source: Source, work: BatchJob) -> Generator[ChunkResult, None, None]:
    if work.engine.is_distributed:
        yield from predict_distributed(bundle, source, work)
        return
    chunks = source.chunks(_asked(bundle), work.rows)
    for each in predict_chunks(bundle, chunks, joblib.cpu_count(), work.history):
        yield ChunkResult.of(each, work)


def _asked(bundle: Bundle) -> list[str]:
    return [column.name for column in bundle.manifest.schema_.asked]


def _refuse_cluster(engine: EngineConfig) -> None:
    if engine_of(engine).is_distributed:
        raise NoriaError(
            "features of earlier cases are not computed on a cluster",
            code="batch.history_not_distributed",
            where="engine",
            fix="predict this file without `engine: ray`",
        )
