"""Arrow streams and Parquet files: the same answers as JSON; what is damaged, forged or too large is refused."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mixed
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from asked import Asked, Reply, asked

from noria.bundle import Bundle
from noria.serving.api import ErrorResponse

ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
_LIMITS = '{"limits": {"max_body_mb": 1, "max_bulk_rows": 20000}}'
COLUMNS = ["age", "amount", "visits", "region", "code", "member", "joined"]


@pytest.fixture(scope="module")
def service(mixed_trees: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(mixed_trees, tmp_path_factory.mktemp("asked"), NORIA_SERVING=_LIMITS) as running:
        yield running
        running.settle()


def arrow(table: pa.Table, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def sent(service: Asked, body: bytes, kind: str) -> Reply:
    return service.post("/predict", body, {"content-type": kind})


def assert_refused(reply: Reply, *allowed: int) -> str:
    assert reply.status in (allowed or (400, 413, 422)), reply.body[:300]
    assert b"Traceback" not in reply.body
    assert b".py" not in reply.body
    return ErrorResponse.model_validate_json(reply.body).error


def customers(rows: int = 500) -> pd.DataFrame:
    return mixed.table().head(rows).drop(columns=list(mixed.TARGETS.values()))


@pytest.mark.parametrize(("kind", "write"), [(ARROW, arrow), (PARQUET, parquet)])
def test_a_table_gets_the_answers_that_json_gets(service: Asked, kind: str, write: Callable[..., bytes]) -> None:
    frame = customers()
    reply = sent(service, write(pa.Table.from_pandas(frame, preserve_index=False)), kind)
    assert (reply.status, reply.headers["content-type"]) == (200, ARROW)
    found = pa.ipc.open_stream(reply.body).read_all().to_pandas()
    rows = frame.assign(joined=frame["joined"].dt.strftime("%Y-%m-%dT%H:%M:%S")).astype(object)
    objects = [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in rows.to_dict("records")
    ]
    by_json = service.post("/predict", {"rows": objects}).json()["predictions"]
    assert found["prediction"].tolist() == [one["prediction"] for one in by_json]
    assert found["probability"].to_numpy() == pytest.approx([one["probability"] for one in by_json], abs=1e-9)
    assert found["decision"].tolist() == [one["decision"] for one in by_json]
    assert found["warning"].tolist() == ["; ".join(one["warnings"]) for one in by_json]
    assert found["id"].is_unique


@pytest.mark.parametrize(("kind", "write"), [(ARROW, arrow), (PARQUET, parquet)])
def test_a_table_that_is_cut_short_is_refused(service: Asked, kind: str, write: Callable[..., bytes]) -> None:
    body = write(pa.Table.from_pandas(customers(50), preserve_index=False))
    end = 9 if kind == ARROW else 0  # a stream may do without the mark at its end
    for length in [0, 1, 7, *np.linspace(8, len(body) - 1 - end, 60).astype(int).tolist()]:
        assert_refused(sent(service, body[:length], kind))


@pytest.mark.parametrize(("kind", "write"), [(ARROW, arrow), (PARQUET, parquet)])
def test_a_forged_table_harms_nobody(service: Asked, kind: str, write: Callable[..., bytes]) -> None:
    body = write(pa.Table.from_pandas(customers(50), preserve_index=False))
    random = np.random.default_rng(1)
    for _ in range(200):
        forged = bytearray(body)
        for place in random.integers(0, len(body), int(random.integers(1, 6))):
            forged[place] = int(random.choice([0, 1, 127, 128, 255]))
        reply = sent(service, bytes(forged), kind)
        if reply.status != 200:
            assert_refused(reply)


def test_bombs_are_refused(service: Asked) -> None:
    frame = customers(1).iloc[[0] * 15_000]
    long = frame.assign(region="x" * 9_000)
    table, many = pa.Table.from_pandas(long, preserve_index=False), pa.Table.from_pandas(frame, preserve_index=False)
    twice = pa.concat_tables([many, many])
    small = pa.Table.from_pandas(frame.drop(columns="region"), preserve_index=False)
    lie_once = np.tile(np.array([9_000, int.from_bytes(b"xxxx"), 0, 0], np.int32), 15_000)
    buffers = [None, pa.py_buffer(lie_once.tobytes()), pa.py_buffer(b"x" * 9_000)]
    views = small.append_column("region", pa.Array.from_buffers(pa.string_view(), 15_000, buffers))
    repeated = small.append_column("region", pa.DictionaryArray.from_arrays(np.zeros(15_000, np.int8), ["x" * 9_000]))
    for body, kind in (
        (parquet(table), PARQUET),
        (parquet(repeated), PARQUET),
        (arrow(repeated), ARROW),
        (arrow(views), ARROW),
        (parquet(twice), PARQUET),
    ):
        assert len(body) < 4_000_000, "it is refused for what it unfolds to, not for its length"
        assert_refused(sent(service, body, kind), 413, 422)
    assert_refused(sent(service, arrow(table), ARROW), 413)
    for compression in ("zstd", "lz4"):  # how long it would be is known when it is too late
        assert_refused(sent(service, arrow(repeated, compression), ARROW), 415)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop(columns=["age", "code"]), "missing: age, code"),
        (lambda frame: frame.head(0), "no rows"),
        (lambda frame: frame.assign(age="old"), "cannot be predicted"),
        (lambda frame: frame.assign(age=[[1]] * len(frame)), "cannot be read"),
        (lambda frame: frame.assign(age=[{"a": 1}] * len(frame)), "cannot be read"),
        (lambda frame: frame.assign(region=[b"north"] * len(frame)), "cannot be read"),
        (lambda frame: frame.assign(age=np.inf), "cannot be predicted"),
        (lambda frame: frame.assign(region="x" * 10_001), "cannot be predicted"),
        (lambda frame: frame.assign(customer="c" * 256), "cannot be predicted"),
    ],
)
def test_wrong_columns_are_named(service: Asked, change: Any, said: str) -> None:
    table = pa.Table.from_pandas(change(customers(5)), preserve_index=False)
    for body, kind in ((arrow(table), ARROW), (parquet(table), PARQUET)):
        assert said in assert_refused(sent(service, body, kind), 422)


def test_a_column_that_comes_twice_is_named(service: Asked) -> None:
    table = pa.Table.from_pandas(customers(5), preserve_index=False)
    assert "`age` occurs twice" in assert_refused(sent(service, arrow(table.append_column("age", table["age"])), ARROW))


_TYPES = [
    pa.array([1, None, 3], pa.int8()),
    pa.array([1, None, 3], pa.uint64()),
    pa.array([1.5, None, float("nan")], pa.float16()),
    pa.array([1, None, 3], pa.decimal128(10, 2)),
    pa.array(["1", None, " "], pa.large_string()),
    pa.array(["1", None, "x"], pa.string_view()),
    pa.array(["1", None, "1"]).dictionary_encode(),
    pa.array([True, None, False]),
    pa.array([1, None, 3], pa.date32()),
    pa.array([-(86_400_000), None, 86_400_000 * 9**5], pa.date64()),
    pa.array([1, None, 2**62], pa.timestamp("ns", "UTC")),
    pa.array([1, None, 2**62], pa.timestamp("s")),
    pa.array([-(2**62), None, 2**62], pa.timestamp("ms", "Europe/Berlin")),
    pa.array([1, None, 3], pa.time32("s")),
    pa.array([1, None, 3], pa.duration("s")),
    pa.array([(1, 2, 3), None, (1, 2, 3)], pa.month_day_nano_interval()),
    pa.nulls(3),
    pa.RunEndEncodedArray.from_arrays(pa.array([3], pa.int32()), pa.array(["1"])),
    pa.array([b"1", None, b"2"], pa.binary_view()),
    pa.array([b"1", None, b"2"]).dictionary_encode(),
    pa.array([2, None, 2]).dictionary_encode(),
    pa.array([[1], None, []]),
    pa.array([b"1", None, b""]),
    pa.array([{"a": 1}, None, None]),
]


@pytest.mark.parametrize("values", _TYPES, ids=lambda values: str(values.type))
def test_any_type_of_column_is_answered_or_refused(service: Asked, values: pa.Array) -> None:
    table = pa.Table.from_pandas(customers(3), preserve_index=False)
    for name in (*COLUMNS, "customer"):
        changed = table.set_column(table.column_names.index(name), name, values)
        reply = sent(service, arrow(changed), ARROW)
        if reply.status != 200:
            assert_refused(reply, 422)
    assert service.ask("GET", "/readyz").status == 200


def parquet_plain(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, use_dictionary=False)
    return sink.getvalue()


def texts(values: list[bytes], kind: pa.DataType) -> pa.Array:
    """An array that holds any bytes as texts."""
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(pa.array(range(len(values)), pa.int32()), texts(values, pa.string()))
    raw = pa.array(values, pa.large_binary() if kind == pa.large_string() else pa.binary())
    return pa.Array.from_buffers(kind, len(raw), raw.buffers())


@pytest.mark.parametrize("form", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
@pytest.mark.parametrize(
    ("kind", "write"), [(ARROW, arrow), (PARQUET, parquet), (PARQUET, parquet_plain)], ids=["arrow", "packed", "plain"]
)
def test_a_text_that_is_no_utf_8_is_refused(
    service: Asked, kind: str, write: Callable[..., bytes], form: pa.DataType
) -> None:
    table = pa.Table.from_pandas(customers(3), preserve_index=False)
    place = table.column_names.index("region")
    odd = table.set_column(place, "region", texts([b"north", b"\xff\xfe", b"\xc3"], form))
    reply = sent(service, write(odd), kind)
    assert (reply.status, reply.json()["code"]) == (400, "request.table_unreadable")


@pytest.mark.parametrize(("kind", "write"), [(ARROW, arrow), (PARQUET, parquet)])
def test_a_column_name_that_is_no_utf_8_is_refused(service: Asked, kind: str, write: Callable[..., bytes]) -> None:
    table = pa.Table.from_pandas(customers(3), preserve_index=False).append_column("uuuuuuuu", pa.nulls(3))
    body = write(table.replace_schema_metadata(None)).replace(b"uuuuuuuu", b"\xff" * 8)
    assert_refused(sent(service, body, kind), 400)


@pytest.mark.parametrize(("kind", "write"), [(ARROW, arrow), (PARQUET, parquet)])
def test_thousands_of_columns_take_no_longer_than_they_must(
    mixed_trees: Bundle, tmp_path: Path, kind: str, write: Callable[..., bytes]
) -> None:
    limits = '{"limits": {"max_columns": 10000}}'
    table = pa.Table.from_pandas(customers(2), preserve_index=False)
    wide = pa.table(
        dict(zip(table.column_names, table.columns, strict=True)) | dict.fromkeys(map(str, range(8_000)), pa.nulls(2))
    )
    with asked(mixed_trees, tmp_path, NORIA_SERVING=limits) as service:
        began = time.perf_counter()
        assert sent(service, write(wide), kind).status == 200
        assert time.perf_counter() - began < 5
        service.settle()


@pytest.mark.parametrize(("kind", "write"), [(ARROW, arrow), (PARQUET, parquet)])
def test_more_columns_than_allowed_are_refused(service: Asked, kind: str, write: Callable[..., bytes]) -> None:
    wide = pa.table(dict.fromkeys(map(str, range(2_001)), pa.nulls(2)))
    reply = sent(service, write(wide), kind)
    assert (reply.status, reply.json()["code"]) == (413, "request.too_large")
