"""Blanks around values, after separators and in the names of columns mean nothing."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.customers import amounts, customers, days, spread
from tests.faults.roads import (
    ROUNDING,
    Trained,
    assert_same,
    by_csv,
    by_json,
    by_parquet,
    by_sql,
    propose,
    train,
    trained,
    write_csv,
)

ROW = {"age": 50, "visits": 15, "plan": "plus", "fee": 1234.5, "signed": "2024-02-12"}


def table() -> dict[str, list[object]]:
    signed = [f"{day:%Y-%m-%d}" for day in days()]
    return {name: list(values) for name, values in customers(spread(amounts()), fee=amounts(), signed=signed).items()}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("clean")
    return trained(write_csv(folder, table()), folder)


def seen(model: Trained) -> list[tuple[object, ...]]:
    """What the model has seen of each column."""
    columns = model.bundle.manifest.schema_.columns
    return [(one.name, one.kind, one.categories, one.minimum, one.maximum, one.missing) for one in columns]


def spaced(columns: dict[str, list[object]], before: str, after: str) -> dict[str, list[object]]:
    """The same with blanks around every name and value."""
    return {f"{before}{name}{after}": [f"{before}{one}{after}" for one in column] for name, column in columns.items()}


@pytest.mark.parametrize(("before", "after"), [(" ", ""), ("", " "), ("  ", "\t"), ("\u00a0", " ")])
def test_blanks_in_a_csv_file_change_nothing_that_is_learned(
    clean: Trained, tmp_path: Path, before: str, after: str
) -> None:
    model = trained(write_csv(tmp_path, spaced(table(), before, after)), tmp_path)
    assert seen(model) == seen(clean)
    assert model.bundle.manifest.classes == clean.bundle.manifest.classes
    assert_same(by_json(model, [ROW]), by_json(clean, [ROW]))


def test_blanks_in_quotation_marks_change_nothing_either(clean: Trained, tmp_path: Path) -> None:
    columns = spaced(table(), " ", " ")
    lines = [list(columns), *zip(*columns.values(), strict=True)]
    path = tmp_path / "in.csv"
    path.write_text("".join(",".join(f'"{value}"' for value in line) + "\n" for line in lines))
    model = trained(path, tmp_path)
    assert seen(model) == seen(clean)


def test_blanks_in_a_parquet_file_change_nothing_that_is_learned(clean: Trained, tmp_path: Path) -> None:
    columns = {f" {name} ": list(column) for name, column in table().items()}
    for name in (" plan ", " left ", " signed "):
        columns[name] = [f" {value} " for value in columns[name]]
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    model = train(propose(tmp_path / "in.parquet").use_case, tmp_path)
    assert seen(model) == seen(clean)
    assert_same(by_json(model, [ROW]), by_json(clean, [ROW]))


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "  "])
def test_blanks_in_what_is_asked_change_nothing(clean: Trained, tmp_path: Path, blank: str) -> None:
    rows = [ROW, ROW | {"plan": "basic", "age": 20}, ROW | {"plan": None}]
    wanted = by_json(clean, rows)
    assert wanted["warning"].tolist() == ["", "", ""]
    around = [
        {name: None if value is None else f"{blank}{value}{blank}" for name, value in row.items()} for row in rows
    ]
    assert_same(by_json(clean, around), wanted)
    names = list(ROW)
    plain_file = write_csv(tmp_path, {name: [row[name] for row in rows] for name in names}, "plain.csv")
    answers = by_csv(clean, plain_file)
    file = write_csv(tmp_path, {f"{blank}{name}{blank}": [row[name] for row in around] for name in names}, "ask.csv")
    assert_same(by_csv(clean, file), answers)
    assert_same(by_parquet(clean, pa.Table.from_pylist(around), tmp_path), answers)
    assert_same(by_sql(clean, around, tmp_path), answers)


def test_nothing_but_blanks_is_missing(clean: Trained, tmp_path: Path) -> None:
    wanted = by_json(clean, [ROW | {"plan": None, "fee": None, "signed": None}])
    assert wanted["error"].tolist() == [""]
    blank = ROW | {"plan": "  ", "fee": " ", "signed": "\t"}
    assert_same(by_json(clean, [blank]), wanted)
    file = write_csv(tmp_path, {name: [value] for name, value in blank.items()}, "ask.csv")
    assert_same(by_csv(clean, file), wanted, within=ROUNDING)
    as_text = {name: str(value) for name, value in blank.items()}
    assert_same(by_parquet(clean, pa.Table.from_pylist([as_text]), tmp_path), wanted, within=ROUNDING)


def test_the_target_may_be_named_without_its_blanks(tmp_path: Path) -> None:
    proposed = propose(write_csv(tmp_path, spaced(table(), " ", "")), target="left")
    assert proposed.use_case.data.target == "left"
