"""Numbers as people write them: decimal commas, groups of thousands, currencies, percent signs, marks for a gap."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.faults.customers import amounts, customers, cycled, grouped, spread
from tests.faults.roads import (
    ROUNDING,
    Trained,
    assert_same,
    by_csv,
    by_json,
    by_parquet,
    by_sql,
    copied,
    fault,
    metric,
    objects,
    propose,
    texts,
    train,
    trained,
    write_csv,
    write_rows,
)

FEE = {"age": 50, "visits": 15, "plan": "plus"}


@pytest.fixture(scope="module")
def european(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("european-thousands"), tmp_path_factory.mktemp("european"))


@pytest.fixture(scope="module")
def ungrouped(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("european-thousands", "plain.csv"), tmp_path_factory.mktemp("ungrouped"))


def test_groups_of_thousands_change_nothing_that_is_learned(european: Trained, ungrouped: Trained) -> None:
    assert european.column("fee").kind == ungrouped.column("fee").kind == "number"
    assert european.column("fee").maximum == ungrouped.column("fee").maximum
    assert metric(european) == metric(ungrouped) > 0.9
    assert european.bundle.scores(european.test).tolist() == ungrouped.bundle.scores(ungrouped.test).tolist()


@pytest.mark.parametrize("name", ["european", "ungrouped"])
def test_a_point_in_a_file_with_decimal_commas_is_no_decimal_mark(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: Trained = request.getfixturevalue(name)
    path = copied(tmp_path, "european-thousands", "ask_mixed.csv")
    answers = by_csv(model, path)
    wanted = by_json(model, [FEE | {"fee": 1500.0}]).loc[0]
    for row, fee in enumerate(texts(path, ";")["fee"]):
        answer = answers.loc[row]
        if fee in {"1.500", "1500.00", "1.500,00"} and answer["error"]:
            assert "fee" in answer["error"]
        else:
            assert answer["error"] == "", fee
            assert answer["probability"] == pytest.approx(wanted["probability"], abs=1e-9), fee


@pytest.mark.parametrize(
    ("separator", "mark", "decimal"),
    [
        *[(";", ".", ","), (",", ",", "."), ("\t", " ", ","), (";", "'", "."), (",", ".", ","), ("\t", "\u202f", ",")],
        *[(";", "\u00a0", ","), (",", "\u2019", ".")],
    ],
)
def test_each_way_to_group_is_learned_and_kept(tmp_path: Path, separator: str, mark: str, decimal: str) -> None:
    columns = {"fee": [grouped(one, mark, decimal) for one in amounts()]}
    path = write_csv(tmp_path, customers(spread(amounts()), **columns), separator=separator)
    proposed = propose(path)
    model = train(proposed.use_case, tmp_path)
    fee = model.column("fee")
    assert fee.kind == "number"
    assert fee.maximum > 7000
    assert "`fee`" in proposed.about("fee")
    shown = [grouped(one, mark, decimal) for one in (1234.5, 12.0, 4321.0)]
    lines = [separator.join(FEE)] + [separator.join(map(str, FEE.values()))] * 3
    head, *rest = lines
    quoted = [f'"{one}"' for one in shown]
    asked = "\n".join([f"{head}{separator}fee", *(f"{a}{separator}{b}" for a, b in zip(rest, quoted, strict=True))])
    answers = by_csv(model, asked + "\n", folder=tmp_path)
    numbers = by_json(model, [FEE | {"fee": one} for one in (1234.5, 12, 4321.0)])
    assert answers["error"].tolist() == ["", "", ""]
    assert_same(answers, numbers, within=ROUNDING)
    assert_same(by_json(model, [FEE | {"fee": one} for one in shown]), numbers)


def test_where_points_could_be_either_the_choice_is_told(tmp_path: Path) -> None:
    """1.234 beside 5.678, nothing else: groups of thousands, or three decimals."""
    fees = [1000 + round(one) for one in amounts()]
    path = write_csv(tmp_path, customers(spread(fees), fee=[grouped(one, ".", ",", 0) for one in fees]), separator=";")
    proposed = propose(path)
    assert "`fee`" in proposed.about("fee")


def test_fractions_below_one_are_no_groups(tmp_path: Path) -> None:
    """0.512 beside 1.234: a group of thousands does not begin with a zero."""
    rates = [f"{0.3 + one / 8000:.3f}" for one in amounts()]
    proposed = propose(write_csv(tmp_path, customers(spread(amounts()), rate=rates)))
    assert proposed.about("rate") == ""
    assert train(proposed.use_case, tmp_path).column("rate").maximum < 2


NOT_READ = {
    "negative in brackets": lambda one: f"({one:,.2f})",
    "minus behind": lambda one: f"{one:,.2f}-",
    "unit": lambda one: f"{one} kg",
    "Indian groups": lambda one: f"12,34,{one:06.2f}",
    "typographic minus": lambda one: f"\u2212{one}",
}


@pytest.mark.parametrize("name", NOT_READ)
def test_numbers_in_a_form_that_is_not_read_are_told(name: str, tmp_path: Path) -> None:
    fees = [NOT_READ[name](one) for one in amounts()]
    proposed = propose(write_csv(tmp_path, customers(spread(amounts()), fee=fees)))
    assert "numbers" in proposed.about("fee")


@pytest.fixture(scope="module")
def dollars(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("currency-percent"), tmp_path_factory.mktemp("dollars"))


def test_amounts_and_percentages_are_numbers_and_it_is_told(dollars: Trained, tmp_path: Path) -> None:
    assert [dollars.column(name).kind for name in ("fee", "share")] == ["number", "number"]
    path = copied(tmp_path, "currency-percent")
    proposed = propose(path)
    assert "$" in proposed.about("fee")
    assert "%" in proposed.about("share")


def test_an_amount_means_the_same_with_its_sign_and_without(dollars: Trained, tmp_path: Path) -> None:
    rows = objects(texts(fault("currency-percent")).drop(columns="left").head(20))
    path = write_rows(tmp_path, rows)
    plain = [
        row
        | {name: float(row[name]) for name in ("age", "visits")}
        | {"fee": float(row["fee"].strip("$").replace(",", "")), "share": float(row["share"].strip("%"))}
        for row in rows
    ]
    answers = by_csv(dollars, path)
    assert answers["error"].tolist() == [""] * 20
    assert_same(by_json(dollars, rows), by_json(dollars, plain))
    assert_same(by_parquet(dollars, pa.Table.from_pylist(rows), tmp_path), answers)
    assert_same(by_parquet(dollars, pa.Table.from_pylist(plain), tmp_path), answers)
    assert_same(by_sql(dollars, plain, tmp_path), answers)
    assert_same(answers, by_json(dollars, plain), within=ROUNDING)


@pytest.mark.parametrize("fee", ["€1,234.50", "1,234.50 EUR", "1.234,50", "$1,23,4.50", "12%"])
def test_another_currency_or_form_is_refused(dollars: Trained, fee: str) -> None:
    answer = by_json(dollars, [FEE | {"share": "10%", "fee": fee}]).loc[0]
    assert "fee" in answer["error"]


def test_two_currencies_in_one_column_are_no_number(tmp_path: Path) -> None:
    fees = [f"{mark}{one:,.2f}" for mark, one in zip(cycled("$€"), amounts(), strict=True)]
    proposed = propose(write_csv(tmp_path, customers(spread(amounts()), fee=fees)))
    model = train(proposed.use_case, tmp_path)
    assert all(column.kind != "number" for column in model.bundle.manifest.schema_.columns if column.name == "fee")
    assert "`fee`" in proposed.about("fee")


@pytest.fixture(scope="module")
def question_marks(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("question-mark"), tmp_path_factory.mktemp("question"))


def test_question_marks_and_dashes_among_numbers_are_gaps_and_it_is_told(
    question_marks: Trained, tmp_path: Path
) -> None:
    assert [question_marks.column(name).kind for name in ("fee", "visits")] == ["number", "number"]
    assert question_marks.column("fee").missing > 0
    path = copied(tmp_path, "question-mark")
    proposed = propose(path)
    assert "?" in proposed.about("fee")
    assert "%" in proposed.about("fee")
    assert "-" in proposed.about("visits")


def test_a_mark_of_a_gap_is_the_same_as_nothing(question_marks: Trained, tmp_path: Path) -> None:
    marked = [
        {"age": 40, "fee": "?", "visits": 12, "plan": "plus"},
        {"age": 40, "fee": 30.5, "visits": "-", "plan": "plus"},
        {"age": 40, "fee": 30.5, "visits": 12, "plan": "plus"},
    ]
    empty = [{name: None if value in {"?", "-"} else value for name, value in row.items()} for row in marked]
    wanted = by_json(question_marks, empty)
    assert wanted["error"].tolist() == ["", "", ""]
    assert_same(by_json(question_marks, marked), wanted)
    path = write_rows(tmp_path, marked)
    answers = by_csv(question_marks, path)
    assert_same(answers, wanted, within=ROUNDING)
    as_text = [{name: None if value is None else str(value) for name, value in row.items()} for row in marked]
    assert_same(by_parquet(question_marks, pa.Table.from_pylist(as_text), tmp_path), answers)


@pytest.mark.parametrize("mark", ["?", "-", "unknown", "n.v."])
def test_a_mark_that_training_did_not_know_is_refused(ungrouped: Trained, mark: str, tmp_path: Path) -> None:
    row = FEE | {"fee": mark}
    assert "fee" in by_json(ungrouped, [row]).loc[0, "error"]
    path = write_csv(tmp_path, {name: [value] for name, value in row.items()}, "ask.csv", ";")
    assert "fee" in by_csv(ungrouped, path).loc[0, "error"]


def test_true_is_no_number(ungrouped: Trained, tmp_path: Path) -> None:
    row = FEE | {"fee": 20.5}
    good = by_json(ungrouped, [row])
    assert good["error"].tolist() == [""]
    assert "age" in by_json(ungrouped, [row | {"age": True}]).loc[0, "error"]
    assert "age" in by_json(ungrouped, [row | {"age": "true"}]).loc[0, "error"]
    assert "age" in by_parquet(ungrouped, pa.Table.from_pylist([row | {"age": True}]), tmp_path).loc[0, "error"]
    path = write_csv(tmp_path, {name: [value] for name, value in (row | {"age": "true"}).items()}, "ask.csv", ";")
    assert "age" in by_csv(ungrouped, path).loc[0, "error"]
