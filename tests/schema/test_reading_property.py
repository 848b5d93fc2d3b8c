"""One value, one meaning: any table gets the same answers, bit for bit, by whatever road and in whatever form it comes.

The model is trained from a CSV file in each of several dialects and from Parquet. Rows of every kind of column are then
asked for as CSV, as Parquet of every Arrow type that can hold them, as JSON, and as the result of a query.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.faults.roads import (
    ROUNDING,
    Asked,
    Trained,
    ask,
    assert_same,
    by_csv,
    by_json,
    by_parquet,
    by_sql,
    propose,
    train,
)
from tests.service.asked import Asked as Service
from tests.service.asked import asked as service_of

ARROW_STREAM, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
ROWS = 240
pytestmark = pytest.mark.slow
Row = dict[str, Any]
Written = tuple[str, dict[str, pa.DataType], dict[str, int]]
Write = Callable[[Any], object]
ModelOf = Callable[[str], Trained]


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written."""

    separator: str = ","
    decimal: str = "."
    grouping: str = ""
    day: str = "%Y-%m-%d"
    time: str = "%Y-%m-%dT%H:%M:%S"
    booleans: tuple[str, str] = ("False", "True")
    gap: str = ""
    """What stands for a missing number."""
    blank: str = ""
    """What stands around every value and name."""
    quoting: int = csv.QUOTE_MINIMAL
    bom: bool = False
    newline: str = "\n"

    def number(self, value: Decimal | int) -> str:
        text = f"{value:,}" if self.grouping else f"{value}"
        return text.replace(",", "_").replace(".", self.decimal).replace("_", self.grouping)

    def cell(self, name: str, value: Any) -> str:
        if value is None:
            return self.gap if name in NUMBERS else ""
        if isinstance(value, bool):
            return self.booleans[value]
        if name in NUMBERS:
            return self.number(value)
        if isinstance(value, datetime):
            return value.isoformat() if value.tzinfo else value.strftime(self.time)
        return value.strftime(self.day) if isinstance(value, date) else str(value)

    def text(self, rows: Sequence[Row]) -> str:
        """The file's text."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.separator, quoting=self.quoting, lineterminator=self.newline)
        names = list(rows[0])
        lines = [names, *([self.cell(name, row[name]) for name in names] for row in rows)]
        writer.writerows([f"{self.blank}{cell}{self.blank}" for cell in line] for line in lines)
        return ("\ufeff" if self.bom else "") + out.getvalue()


DIALECTS = {
    "plain": Dialect(),
    "quoted": Dialect(quoting=csv.QUOTE_ALL, bom=True, newline="\r\n", booleans=("false", "true")),
    "german": Dialect(";", ",", "", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S"),
    "german with groups": Dialect(";", ",", ".", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S", gap="-"),
    "French": Dialect("\t", ",", "\u202f", "%d/%m/%Y", "%d/%m/%Y %H:%M:%S", bom=True),
    "American": Dialect(",", ".", ",", "%m/%d/%Y", "%m/%d/%Y %H:%M:%S", gap="?"),
    "spaced": Dialect(",", blank=" ", day="%d %b %Y", time="%Y-%m-%d %H:%M:%S", gap="NA"),
    "barred": Dialect("|", day="%Y%m%d", time="%Y/%m/%d %H:%M:%S", quoting=csv.QUOTE_NONNUMERIC),
}
NUMBERS = ("visits", "fee")


@dataclass(frozen=True)
class Kind:
    """A kind of column: its values in training and in requests, and the forms that can hold them."""

    known: Sequence[Any]
    others: SearchStrategy[Any]
    """Values that training may not have seen."""
    arrow: dict[pa.DataType, Write]
    json: list[Write] = field(default_factory=lambda: [_same])
    gaps: bool = True

    @property
    def values(self) -> SearchStrategy[Any]:
        known: SearchStrategy[Any] = st.one_of(st.sampled_from(list(self.known)), self.others)
        return st.one_of(known, st.none()) if self.gaps else known


def _same(value: Any) -> Any:
    return value


def _iso(value: date) -> str:
    return value.isoformat()


def _blanks(value: object) -> str:
    return f"  {value}\t"


def _midnight(value: date) -> datetime:
    return datetime(value.year, value.month, value.day)


def _elsewhere(value: datetime) -> str:
    return value.astimezone(timezone(timedelta(hours=-5))).isoformat()


TEXTS: dict[pa.DataType, Write] = {
    pa.string(): str,
    pa.large_string(): str,
    pa.dictionary(pa.int8(), pa.string()): str,
}
WHOLE: dict[pa.DataType, Write] = dict.fromkeys(
    (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint64()), _same
)
FRACTIONS: dict[pa.DataType, Write] = {pa.float32(): float, pa.float64(): float, pa.decimal128(12, 2): Decimal}
LOCAL: dict[pa.DataType, Write] = {pa.timestamp(unit): _same for unit in ("s", "ms", "us", "ns")}
ZONED: dict[pa.DataType, Write] = {
    pa.timestamp(unit, zone): _same for unit, zone in (("ms", "UTC"), ("us", "Europe/Berlin"), ("ns", "+02:00"))
}
BIG = [9007199254740992 + number for number in (0, 1, 2, 3)] + [1234567890123456789, 9000000000000000001]

KINDS: dict[str, Kind] = {
    "visits": Kind(
        range(60), st.integers(0, 127), WHOLE | FRACTIONS | {pa.string(): str}, [_same, float, str, _blanks]
    ),
    "fee": Kind(
        [Decimal(number) / 4 for number in range(1, 20000, 67)],
        st.integers(0, 60_000).map(lambda number: Decimal(number) / 4),
        FRACTIONS,
        [float],
    ),
    "account": Kind(
        BIG,
        st.integers(10**16, 9 * 10**18),
        {pa.int64(): _same, pa.uint64(): _same, pa.decimal128(20, 0): Decimal, **TEXTS},
        [_same, str, _blanks],
    ),
    "zip": Kind(
        ["01099", "01067", "00123", "99084", "10115"],
        st.from_regex(r"[0-9]{5}", fullmatch=True),
        TEXTS,
        [_same, _blanks],
    ),
    "country": Kind(["DE", "FR", "PL", "NA"], st.sampled_from(["XX", "na", "N/A"]), TEXTS, [_same, _blanks]),
    "cover": Kind(["None", "Basic", "Full"], st.sampled_from(["Extra", "none", "null"]), TEXTS, [_same, _blanks]),
    "plan": Kind(
        ["basic", "plus", "pro max"], st.sampled_from(["the moon", "Basic", "a; b: c"]), TEXTS, [_same, _blanks]
    ),
    "active": Kind(
        [True, False], st.booleans(), {pa.bool_(): _same, pa.int8(): int, pa.string(): str}, [_same, str, _blanks]
    ),
    "tier": Kind(
        range(1, 6),
        st.integers(0, 99),
        WHOLE | FRACTIONS | TEXTS | {pa.dictionary(pa.int8(), pa.int64()): _same},
        [_same, float, str, lambda tier: f"{tier}.0"],
    ),
    "signed": Kind(
        [date(2023, 1, 1) + timedelta(days=days) for days in range(0, 700, 3)],
        st.dates(date(2019, 1, 1), date(2030, 12, 31)),
        {pa.date32(): _same, pa.date64(): _same, pa.string(): _iso, **dict.fromkeys(LOCAL, _midnight)},
        [_iso, lambda day: _midnight(day).isoformat(), lambda day: f" {day.isoformat()} "],
    ),
    "called_at": Kind(
        [datetime(2023, 1, 1) + timedelta(hours=hours) for hours in range(0, 15000, 61)],
        st.datetimes(datetime(2019, 1, 1), datetime(2030, 12, 31)).map(lambda at: at.replace(microsecond=0)),
        {**LOCAL, pa.string(): _iso},
        [_iso, lambda at: at.isoformat(" ")],
    ),
    "seen_at": Kind(
        [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=hours) for hours in range(0, 15000, 59)],
        st.datetimes(datetime(2019, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)).map(
            lambda at: at.replace(microsecond=0)
        ),
        {**ZONED, pa.string(): _iso},
        [_iso, _elsewhere, lambda at: at.isoformat().replace("+00:00", "Z")],
    ),
}
CASE = st.fixed_dictionaries({name: kind.values for name, kind in KINDS.items()})
ARROW = st.fixed_dictionaries({name: st.sampled_from(list(kind.arrow)) for name, kind in KINDS.items()})
JSON = st.fixed_dictionaries({name: st.integers(0, len(kind.json) - 1) for name, kind in KINDS.items()})


def training_rows() -> list[Row]:
    """Rows of every kind; who leaves depends on each of them."""
    draw = np.random.default_rng(17)
    rows: list[Row] = []
    for number in range(ROWS):
        row: Row = {"customer_id": f"{number:06d}"}
        for name, kind in KINDS.items():
            is_gap = kind.gaps and draw.random() < 0.06
            row[name] = None if is_gap else kind.known[int(draw.integers(len(kind.known)))]
        rows.append(row)
    for row in rows:
        row["left"] = "yes" if _wish(row) + draw.normal(0, 0.6) > 1.4 else "no"
    return rows


def _wish(row: Row) -> float:
    named = {"NA": 1.0, "01099": 0.8, "None": -0.9, "pro max": 0.7, BIG[0]: 0.9, BIG[1]: -0.9, True: 0.6}
    wish = sum(named.get(row[name], 0.0) for name in ("country", "zip", "cover", "plan", "account"))
    wish += (
        float(row["fee"] or 2500) / 2500 + (row["visits"] or 30) / 60 + (row["tier"] or 3) / 5 - (row["active"] is True)
    )
    wish += 0.5 if row["signed"] and row["signed"].month > 6 else 0.0
    wish += 0.5 if row["called_at"] and row["called_at"].hour > 12 else 0.0
    return wish - (0.5 if row["seen_at"] and row["seen_at"].hour > 12 else 0.0)


def arrow_table(rows: Sequence[Row], types: dict[str, pa.DataType], dialect: Dialect = DIALECTS["plain"]) -> pa.Table:
    """Rows as a table of these types."""
    return pa.table({name: _arrow([row[name] for row in rows], KINDS[name], kind) for name, kind in types.items()})


def _arrow(values: Sequence[Any], kind: Kind, of: pa.DataType) -> pa.Array:
    write = kind.arrow[of]
    given = [None if value is None else write(value) for value in values]
    if not pa.types.is_dictionary(of):
        return pa.array(given, of)
    return pa.array(given, of.value_type).dictionary_encode().cast(of)


FIRST = {name: next(iter(kind.arrow)) for name, kind in KINDS.items()}


def learned(table: Path, folder: Path) -> Trained:
    return train(
        propose(table).use_case,
        folder,
        split={"method": "stratified"},
        features={"calendar": ["year", "month", "day", "weekday", "hour"], "categorical": ["account", "tier"]},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reading")


@pytest.fixture(scope="module")
def model_of(folder: Path) -> ModelOf:
    """The model of a dialect, or that of Parquet; each is trained when it is first asked for."""

    @cache
    def model(name: str) -> Trained:
        place = folder / name.replace(" ", "_")
        place.mkdir()
        if name != "parquet":
            text = DIALECTS[name].text(training_rows())
            (place / "in.csv").write_text(text, encoding="utf-8", newline="")
            return learned(place / "in.csv", place)
        rows = training_rows()
        table = arrow_table(rows, FIRST)
        for column in ("customer_id", "left"):
            table = table.append_column(column, pa.array([row[column] for row in rows]))
        pq.write_table(table, place / "in.parquet")
        return learned(place / "in.parquet", place)

    return model


@pytest.mark.parametrize("name", [*DIALECTS, "parquet"])
def test_every_form_of_a_table_teaches_the_same(name: str, model_of: ModelOf) -> None:
    model, plain = model_of(name), model_of("plain")
    assert sorted(model.inputs) == sorted(KINDS)
    for column in KINDS:
        found, wanted = model.column(column), plain.column(column)
        for what in ("kind", "categories", "minimum", "maximum", "missing"):
            assert getattr(found, what) == getattr(wanted, what), (column, what)
    rows = [{name: row[name] for name in KINDS} for row in training_rows()[:50]]
    assert_same(by_json(model, rows), by_json(plain, rows), within=ROUNDING)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(CASE, min_size=1, max_size=5), written=st.tuples(st.sampled_from(list(DIALECTS)), ARROW, JSON))
def test_every_road_gives_the_same_answers(
    model_of: ModelOf,
    folder: Path,
    rows: list[Row],
    written: Written,
) -> None:
    dialect, types, forms = written
    model, plain = model_of(dialect), model_of("plain")
    wanted = by_json(model, rows)
    assert wanted["error"].tolist() == [""] * len(rows)
    sent = [
        {name: None if value is None else KINDS[name].json[forms[name]](value) for name, value in row.items()}
        for row in rows
    ]
    assert_same(by_json(model, sent), wanted)
    assert_same(by_json(model, rows), by_json(plain, rows))
    batch = by_csv(model, DIALECTS[dialect].text(rows), folder=folder)
    assert_same(batch, wanted, within=ROUNDING)
    assert_same(by_csv(model, folder / "asked.csv", chunk_rows=1), batch, within=ROUNDING)
    assert_same(by_parquet(model, arrow_table(rows, types), folder), batch)
    assert_same(by_parquet(model, arrow_table(rows, types), folder, chunk_rows=1), batch, within=ROUNDING)
    assert_same(by_sql(model, rows, folder), batch)


@pytest.fixture(scope="module")
def service(model_of: ModelOf, folder: Path) -> Iterator[Service]:
    """The service with the model of one dialect, in this process."""
    (folder / "service").mkdir()
    with service_of(model_of("german").bundle, folder / "service") as running:
        yield running
        running.settle()


def by_service(service: Service, table: pa.Table, kind: str) -> pd.DataFrame:
    """POST /predict with a table."""
    sink = io.BytesIO()
    if kind == PARQUET:
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    reply = service.post("/predict", sink.getvalue(), {"content-type": kind})
    assert reply.status == 200, reply.text
    return pa.ipc.open_stream(reply.body).read_all().to_pandas().assign(error="")


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(CASE, min_size=1, max_size=5), types=ARROW, kind=st.sampled_from([ARROW_STREAM, PARQUET]))
def test_tables_that_are_sent_get_the_same_answers(
    service: Service, model_of: ModelOf, rows: list[Row], types: dict[str, pa.DataType], kind: str
) -> None:
    answers = by_service(service, arrow_table(rows, types), kind)
    assert_same(answers, by_json(model_of("german"), rows), within=ROUNDING)


@pytest.mark.parametrize("name", KINDS)
def test_every_type_that_can_hold_a_column_is_read_the_same(
    name: str, model_of: ModelOf, folder: Path, service: Service
) -> None:
    """All types of one column, the others as they are."""
    model, values = model_of("german"), list(KINDS[name].known)[:5]
    row = training_rows()[0]
    rows = [{key: row[key] for key in KINDS} | {name: value} for value in [*values, None]]
    wanted = by_parquet(model, arrow_table(rows, FIRST), folder)
    wrong = []
    for kind in KINDS[name].arrow:
        table = arrow_table(rows, FIRST | {name: kind})
        try:
            assert_same(by_parquet(model, table, folder), wanted)
            assert_same(by_service(service, table, ARROW_STREAM), wanted, within=ROUNDING)
        except AssertionError as error:
            wrong.append(f"{kind}: {str(error).splitlines()[0]}")
    assert wrong == []


@st.composite
def _labels(draw: DrawFn) -> list[tuple[str, str]]:
    names = draw(st.lists(st.integers(0, 59), min_size=1, max_size=8, unique=True))
    return [(f"{name:06d}", draw(st.sampled_from(["yes", "no"]))) for name in names]


@pytest.fixture(scope="module")
def asked_of(model_of: ModelOf, folder: Path) -> Callable[[str], Asked]:
    """Sixty customers, asked of the model of a dialect."""
    rows = [{"customer_id": row["customer_id"], **by_name(row)} for row in training_rows()[:60]]

    @cache
    def asked(name: str) -> Asked:
        place = folder / f"store_{name}"
        place.mkdir()
        return ask(model_of(name), rows, place)

    return asked


def by_name(row: Row) -> Row:
    """A row as JSON carries it."""
    return {
        name: None if row[name] is None else float(row[name]) if name == "fee" else _json(row[name]) for name in KINDS
    }


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    labels=_labels(), dialect=st.sampled_from(["plain", "german", "spaced", "barred"]), blank=st.sampled_from(["", " "])
)
def test_labels_find_their_case_by_every_road(
    asked_of: Callable[[str], Asked], folder: Path, labels: list[tuple[str, str]], dialect: str, blank: str
) -> None:
    where, written = asked_of(dialect), DIALECTS[dialect]
    rows = [{"customer_id": f"{blank}{name}", "left": f"{label}{blank}"} for name, label in labels]
    (folder / "labels.csv").write_text(written.text(rows), encoding="utf-8", newline="")
    assert where.join(folder / "labels.csv").joined == len(labels)
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())):
        columns = {name: pa.array([row[name] for row in rows]).cast(kind) for name in rows[0]}
        pq.write_table(pa.table(columns), folder / "labels.parquet")
        assert where.join(folder / "labels.parquet").joined == len(labels)
    assert where.feedback([{"entity": row["customer_id"], "label": row["left"]} for row in rows]) == len(labels)
