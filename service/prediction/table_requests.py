"""Large batches as Arrow streams or Parquet files: columns in, columns out."""

import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noria.serving.http_errors import HTTPError
from noria.serving.row_reader import RequestRows
from service.http.messages import Request, Response
from service.prediction.arrow_compression import is_compressed
from service.prediction.loaded_models import LoadedModels
from service.prediction.predict import PredictedRequest
from service.prediction.predict import predict as predict_rows
from service.runtime import Runtime

if TYPE_CHECKING:
    import pyarrow as pa

ARROW, PARQUET = b"application/vnd.apache.arrow.stream", b"application/vnd.apache.parquet"
MEDIA_TYPES = frozenset({ARROW, PARQUET})
_MAX_EXPANSION = 20
"""A compressed body may expand to this many times the longest body."""
_EVENT_ROWS = 2_000
"""Rows in one event of the spool."""
_DURABLE_S = 30.0


def predict(
    request: Request, body: bytes, active: LoadedModels, runtime: Runtime, began: float
) -> tuple[Response, list[PredictedRequest]]:
    """Predict a table; the response is an Arrow stream with one row per input row, in the same order.

    Columns: id, prediction, probability, decision, warning, version, variant.

    Raises:
        HTTPError: the table cannot be read or predicted, or predictions cannot be recorded.
    """
    table = _read(request, body, active, runtime)
    rows = _rows(table, active)
    starts = range(0, len(rows.values), _EVENT_ROWS)
    pieces = [rows.take(range(start, min(start + _EVENT_ROWS, len(rows.values)))) for start in starts]
    parts = [predict_rows(active, piece, runtime.spool, began, is_test=request.is_test) for piece in pieces]
    position = parts[-1].position
    if position is not None:
        runtime.spool.wait_durable(position, _DURABLE_S)
    encoded = _encode([one for part in parts for one in part.predictions], rows.warnings, active)
    return Response(encoded, 200, ARROW), parts


def _read(request: Request, body: bytes, active: LoadedModels, runtime: Runtime) -> "pa.Table":
    limits, names = runtime.settings.limits, active.champion.reader.asked
    most = _Most(
        rows=limits.max_bulk_rows,
        columns=max(limits.max_columns, len(names) + 2),
        bytes=int(limits.max_body_mb * 1e6 * _MAX_EXPANSION),
    )
    with _unreadable():
        if request.media_type == PARQUET:
            return _parquet(body, {*names, *active.champion.reader.optional}, most)
        return _stream(body, most)


@contextmanager
def _unreadable() -> Iterator[None]:
    """Raise what Arrow cannot read as an HTTPError (400)."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:  # texts that are no UTF-8 are a ValueError
        raise HTTPError(
            400,
            "the table cannot be read",
            code="request.table_unreadable",
            fix="write it with a current Arrow library",
        ) from error


class _Most(NamedTuple):
    """The limits of a table."""

    rows: int
    columns: int
    bytes: int
    """Of the values, expanded."""


def _parquet(body: bytes, wanted: set[str | None], most: _Most) -> "pa.Table":
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(body))
    meta = file.metadata
    _check_columns(meta.num_columns, most)
    fields = [field for field in file.schema_arrow if field.name in wanted]
    expanded = sum(meta.row_group(place).total_byte_size for place in range(meta.num_row_groups))
    _check_size(meta.num_rows, expanded, most)
    for field in fields:
        _check_type(field.type)
    # dictionary-encoded texts stay encoded until the expanded size is known
    texts = [field.name for field in fields if _is_text(field.type)]
    file = pq.ParquetFile(io.BytesIO(body), read_dictionary=texts)
    table = file.read(columns=[field.name for field in fields], use_threads=False)
    table.validate(full=True)  # texts may be no UTF-8
    _check_size(table.num_rows, _expanded_bytes(table), most)
    return table


def _stream(body: bytes, most: _Most) -> "pa.Table":
    import pyarrow as pa

    if is_compressed(body):
        raise HTTPError(
            415,
            "compressed Arrow streams are not read",
            code="request.compression_not_read",
            fix="send it without compression, with the header Content-Encoding: gzip, or as Parquet",
        )
    batches, rows, size = [], 0, 0
    with pa.ipc.open_stream(body) as reader:
        _check_columns(len(reader.schema), most)
        for batch in reader:
            batches.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            _check_size(rows, size, most)
        table = pa.Table.from_batches(batches, reader.schema)
    table.validate(full=True)  # invalid offsets must not be followed
    _check_size(rows, _expanded_bytes(table), most)
    return table


def _expanded_bytes(table: "pa.Table") -> int:
    """Bytes of the values without dictionary encoding, where a text may be stored once and referenced many times."""
    chunks = [chunk for column in table.columns for chunk in column.chunks]
    return int(table.nbytes) + sum(_referenced_bytes(chunk) for chunk in chunks)


def _referenced_bytes(chunk: "pa.Array") -> int:
    """Bytes of the texts that a chunk references."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(chunk.type) and _is_text(chunk.type.value_type):
        lengths = _lengths(chunk.dictionary)
        return int(lengths[pc.drop_null(chunk.indices).to_numpy(zero_copy_only=False)].sum())
    return int(_lengths(chunk).sum()) if _is_view(chunk.type) else 0


def _lengths(texts: "pa.Array") -> NDArray[np.int64]:
    """Bytes of each text; a missing one counts with its stored length."""
    import pyarrow.compute as pc

    if _is_view(texts.type):  # a view is 16 bytes long and begins with its length
        first = texts.offset * 4
        views = np.frombuffer(texts.buffers()[1], np.int32)[first : first + len(texts) * 4]
        return np.maximum(views[::4], 0).astype(np.int64)
    return np.asarray(pc.fill_null(pc.binary_length(texts), 0), dtype=np.int64)


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_view(kind))


def _is_view(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string_view(kind))


def _check_columns(columns: int, most: _Most) -> None:
    if columns > most.columns:
        raise HTTPError(
            413,
            f"{columns} columns; at most {most.columns}",
            code="request.too_large",
            fix="send only the columns that the model needs",
        )


def _check_size(rows: int, size: int, most: _Most) -> None:
    if rows > most.rows:
        raise HTTPError(
            413, f"more than {most.rows} rows", code="request.too_large", fix="send them in several requests"
        )
    if size > most.bytes:
        raise HTTPError(
            413,
            f"expanded, the table is longer than {most.bytes} bytes",
            code="request.too_large",
            fix="send it in several requests",
        )


def _rows(table: "pa.Table", active: LoadedModels) -> RequestRows:
    reader, id = active.champion.reader, active.champion.manifest.id
    if not table.num_rows:
        raise HTTPError(422, "the table has no rows", code="request.rows_missing", fix="send at least one row")
    with _unreadable():
        counts = Counter(table.column_names)
    duplicates = sorted(name for name, number in counts.items() if number > 1)
    missing = [name for name in reader.asked if name not in counts]
    if duplicates or missing:
        error = f"column `{duplicates[0]}` occurs twice" if duplicates else f"missing: {', '.join(missing)}"
        raise HTTPError(
            422,
            error,
            code="request.columns_mismatch",
            fix="send every input of the model once; null says that a value is not known",
        )
    with _unreadable():
        columns = [_python_values(table[name]) for name in reader.asked]
        entities = [None] * table.num_rows if id not in counts else _python_values(table[id])
        times = None if reader.time is None or reader.time not in counts else _python_values(table[reader.time])
    ignored = sorted(set(counts) - {*reader.asked, *reader.optional})
    return reader.read_columns(columns, entities, ignored, times)


def _python_values(column: "pa.ChunkedArray") -> list[Any]:
    import pyarrow as pa

    kind = column.type
    _check_type(kind)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = "UTC" if pa.types.is_timestamp(kind) and kind.tz is not None else None
        column = column.cast(pa.timestamp("us", zone), safe=False).cast(pa.string())
    values: list[Any] = column.to_pylist()
    if pa.types.is_decimal(kind):  # whole ones keep all their digits, as identifiers need them
        return [None if one is None else int(one) if one == one.to_integral_value() else float(one) for one in values]
    return values


def _check_type(kind: "pa.DataType") -> None:
    import pyarrow as pa

    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    known = (
        pa.types.is_null, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal,
        pa.types.is_timestamp, pa.types.is_date, pa.types.is_time,
    )  # fmt: skip
    if not (_is_text(inner) or any(check(inner) for check in known)):
        raise HTTPError(
            422,
            f"values of type {kind} cannot be read",
            code="request.value_type_unknown",
            fix="send numbers, texts, truth values or dates",
        )


def _encode(predictions: list[Any], warnings: list[str], active: LoadedModels) -> bytes:
    import pyarrow as pa

    is_number = active.champion.manifest.task == "regression"
    table = pa.table(
        {
            "id": pa.array([one.id for one in predictions], pa.string()),
            "prediction": pa.array([one.prediction for one in predictions], pa.float64() if is_number else pa.string()),
            "probability": pa.array([one.probability for one in predictions], pa.float64()),
            "decision": pa.array([one.decision for one in predictions], pa.string()),
            "warning": pa.array(warnings, pa.string()),
            "version": pa.array([one.version for one in predictions], pa.string()),
            "variant": pa.array([one.variant for one in predictions], pa.string()),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    written: bytes = sink.getvalue().to_pybytes()
    return written
