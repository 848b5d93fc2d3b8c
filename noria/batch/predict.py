"""Predicting a whole file in bounded memory."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import pandas as pd

from noria import progress
from noria.batch.answers import NAMES, Answered, answers_to
from noria.batch.chunk import Chunk
from noria.batch.table import ParquetSource
from noria.batch.text import CsvSource
from noria.bundle import Bundle
from noria.config.base import Section
from noria.data.tables import format_of, open_file
from noria.errors import NoriaError
from noria.files import atomic_path
from noria.html import count

if TYPE_CHECKING:
    import pyarrow as pa


class BatchSummary(Section):
    """What became of a file."""

    source: str
    """The file that was read."""
    target: str
    """The Parquet file with the input columns and the predictions."""
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
    target: Path,
    *,
    chunk_rows: int,
    quarantine: Path,
    separator: str = ",",
    decimal: str = ".",
) -> BatchSummary:
    """Predict every row of a CSV or Parquet file.

    The output holds the input columns and prediction, probability, decision, warning and error, one row for each row
    in, in the same order. Parquet columns keep their types; from CSV the model's numbers become numbers and all else
    stays text. A row that cannot be predicted has a null prediction and says why in `error`.

    Args:
        bundle: the model.
        source: CSV or Parquet, a local path or an fsspec URL; compressed CSV too.
        target: Parquet file; it appears when it is complete.
        chunk_rows: rows in memory at once.
        quarantine: CSV file for the rows without a prediction: their number in the source, the reason, and the values
            as they came. Written only if there are such rows; one from an earlier run is removed otherwise.
        separator: of a CSV file.
        decimal: decimal mark of a CSV file.

    Raises:
        NoriaError: the source cannot be read, has no rows or lacks a column of the model (nothing is written then), or
            the target cannot be written.
    """
    started = time.perf_counter()
    _check_places(str(source), target, quarantine)
    with _opened(bundle, str(source), separator, decimal) as rows:
        _check_names(bundle, rows.names, str(source))
        counts = _write(bundle, rows, target, quarantine, chunk_rows)
    seconds = time.perf_counter() - started
    progress.stage(f"predict    {count(counts['rows'])} rows in {seconds:.1f} s, {count(counts['bad'])} quarantined")
    return BatchSummary(
        source=str(source),
        target=str(target),
        rows=counts["rows"],
        quarantined=counts["bad"],
        warned=counts["warned"],
        quarantine=str(quarantine) if counts["bad"] else None,
        seconds=seconds,
    )


def _check_places(source: str, target: Path, quarantine: Path) -> None:
    if target.suffix.lower() not in {".parquet", ".pq"}:
        raise NoriaError("predictions are written as Parquet", where=str(target), fix="let the name end in .parquet")
    places = [Path(source).resolve(), target.resolve(), quarantine.resolve()]
    if len(set(places)) < len(places):
        raise NoriaError(
            "source, target and quarantine must be three files", where=str(target), fix="name another file"
        )


@contextmanager
def _opened(bundle: Bundle, source: str, separator: str, decimal: str) -> "Iterator[CsvSource | ParquetSource]":
    kind = format_of(source)
    with open_file(source, where=source) as handle:
        if kind == "parquet":
            yield ParquetSource(handle, source)
        else:
            yield CsvSource(handle, source, separator, decimal, bundle.manifest.schema_.columns)


def _check_names(bundle: Bundle, names: list[str], source: str) -> None:
    try:
        bundle.manifest.schema_.check(pd.DataFrame(columns=names))
    except NoriaError as error:
        raise NoriaError(error.what, where=source, fix=error.fix) from error
    taken = [name for name in NAMES if name in names]
    if taken:
        raise NoriaError(
            f"the file has a column `{taken[0]}`, as the predictions have", where=source, fix="rename that column"
        )


def _write(
    bundle: Bundle, source: "CsvSource | ParquetSource", target: Path, quarantine: Path, chunk_rows: int
) -> dict[str, int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    is_number = bundle.manifest.task == "regression"
    types = {name: pa.string() for name in NAMES}
    types |= {"prediction": pa.float64() if is_number else pa.string(), "probability": pa.float64()}
    schema = pa.schema([*source.schema, *types.items()])
    counts = {"rows": 0, "bad": 0, "warned": 0}
    aside = _Quarantine(quarantine)
    with aside, atomic_path(target) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        chunks = source.chunks(bundle.manifest.schema_.names, chunk_rows)
        for answered in _answered(bundle, chunks):
            writer.write_table(_joined(answered, schema))
            aside.add(answered)
            counts["rows"] += len(answered.bad)
            counts["bad"] += int(answered.bad.sum())
            counts["warned"] += answered.warned
            progress.tick(f"{count(counts['rows'])} rows predicted")
        if not counts["rows"]:
            raise NoriaError("the file holds no rows", where=source.where, fix="bring a file with rows")
    return counts


def _answered(bundle: Bundle, chunks: Iterator[Chunk]) -> Iterator[Answered]:
    """The chunks' answers in order; as many chunks as there are cores are worked on at once."""
    cores = joblib.cpu_count()
    ahead: deque[Future[Answered]] = deque()
    with ThreadPoolExecutor(cores) as threads:
        try:
            for chunk in chunks:
                ahead.append(threads.submit(answers_to, bundle, chunk))
                if len(ahead) > cores:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for waiting in ahead:
                waiting.cancel()


def _joined(answered: Answered, schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    return pa.Table.from_arrays([*answered.chunk.kept.columns, *answered.columns.values()], schema=schema)


class _Quarantine:
    """The file of rows that could not be predicted: made at the first of them, in place when all went well."""

    def __init__(self, file: Path) -> None:
        self._file, self._stack = file, ExitStack()
        self._handle: Any = None

    def __enter__(self) -> "_Quarantine":
        return self

    def add(self, answered: Answered) -> None:
        """Write the bad rows of a chunk."""
        chunk, bad = answered.chunk, answered.bad
        if not bad.any():
            return
        reasons = answered.columns["error"].to_pandas()
        is_first = self._handle is None
        if is_first:
            part = self._stack.enter_context(atomic_path(self._file))
            self._handle = self._stack.enter_context(part.open("w", encoding="utf-8", newline=""))
        rows = chunk.raw[bad]
        rows.insert(0, "reason", reasons[bad], allow_duplicates=True)
        rows.insert(0, "row", rows.index + chunk.first, allow_duplicates=True)
        rows.to_csv(self._handle, index=False, header=is_first)

    def __exit__(self, *error: Any) -> bool | None:
        if self._handle is None and error[0] is None:
            self._file.unlink(missing_ok=True)
        return self._stack.__exit__(*error)
