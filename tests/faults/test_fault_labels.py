"""Labels and identifiers: one label however it is written, one case however it is named."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noria.monitoring import read_window
from tests.errors_raised import raises
from tests.faults.customers import ROWS, amounts, customers, cycled, grouped, spread
from tests.faults.roads import (
    AT,
    Asked,
    Trained,
    ask,
    copied,
    fault,
    metric,
    objects,
    propose,
    texts,
    train,
    trained,
    write_csv,
)
from tests.service.asked import asked as service_of

ROW = {"age": 50, "visits": 15, "plan": "plus"}


def labelled(asked: Asked) -> dict[str, object]:
    """Prediction → its label, as monitoring sees it."""
    window = read_window(asked.store, asked.model.use_case, "1", AT + timedelta(days=1))
    return window.labelled.set_index("prediction_id")["label"].to_dict()


def test_blanks_after_a_label_make_no_new_class(tmp_path: Path) -> None:
    file = copied(tmp_path, "label-whitespace")
    use_case = propose(file).use_case
    assert (use_case.problem.task, use_case.problem.positive) == ("binary", "yes")
    model = train(use_case, tmp_path)
    assert model.bundle.manifest.classes == ["no", "yes"]
    rows = texts(file)["left"]
    share = rows.str.strip().eq("yes").mean()
    learned = pd.concat([model.train, model.test])["left"]
    assert len(learned) == len(rows)
    assert learned.eq("yes").mean() == share


@pytest.mark.parametrize("label", ["yes", "yes ", " yes", "yes\t"])
def test_blanks_around_a_label_that_is_sent_change_nothing(tmp_path: Path, label: str) -> None:
    file = copied(tmp_path, "label-whitespace")
    model = trained(file, tmp_path)
    row = {"age": 50, "fee": 20.5, "visits": 15, "plan": "plus"}
    asked = ask(model, [row] * 2, tmp_path)
    labels = write_csv(tmp_path, {"prediction_id": [asked.ids[0]], "left": [label]}, "labels.csv")
    assert asked.join(labels).joined == 1
    assert asked.feedback([{"id": asked.ids[1], "label": label}]) == 1
    assert labelled(asked) == dict.fromkeys(asked.ids, "yes")


TARGETS: dict[str, tuple[list[object], str]] = {
    "whole numbers": ([0, 1], "1"),
    "floats": (["0.0", "1.0"], "1"),
    "booleans": (["False", "True"], "True"),
    "small booleans": (["false", "true"], "True"),
}
SENT: dict[str, list[object]] = {
    "whole numbers": [1, 1.0, "1", "1.0", True, "true"],
    "floats": [1, 1.0, "1", "1.0", True, "true"],
    "booleans": [True, "True", "true", "TRUE"],
    "small booleans": [True, "True", "true", "TRUE"],
}


@pytest.mark.parametrize("kind", TARGETS)
def test_a_label_is_one_class_however_it_is_written(tmp_path: Path, kind: str) -> None:
    (no, yes), named = TARGETS[kind]
    table = customers()
    table["left"] = [yes if label == "yes" else no for label in table["left"]]
    model = trained(write_csv(tmp_path, table), tmp_path)
    assert model.use_case.problem.task == "binary"
    sent = SENT[kind]
    asked = ask(model, [ROW] * len(sent) * 3, tmp_path)
    by_feedback, by_file, by_parquet = (asked.ids[place::3] for place in range(3))
    found = asked.feedback([{"id": id, "label": label} for id, label in zip(by_feedback, sent, strict=True)])
    assert found == len(sent)
    labels = write_csv(tmp_path, {"prediction_id": by_file, "left": sent}, "labels.csv")
    assert asked.join(labels).joined == len(sent)
    for id, label in zip(by_parquet, sent, strict=True):
        pq.write_table(pa.table({"prediction_id": [id], "left": [label]}), tmp_path / "labels.parquet")
        assert asked.join(tmp_path / "labels.parquet").joined == 1, label
    assert {str(label) for label in labelled(asked).values()} == {str(model.bundle.manifest.classes[1])}
    assert str(model.bundle.manifest.classes[1]) == named


def test_a_column_of_labels_is_read_as_one_whatever_else_it_holds(tmp_path: Path) -> None:
    """A gap turns a column of whole numbers into floats, and a word turns it into text."""
    table = customers()
    table["left"] = [int(label == "yes") for label in table["left"]]
    model = trained(write_csv(tmp_path, table), tmp_path)
    asked = ask(model, [ROW] * 4, tmp_path)
    labels = write_csv(tmp_path, {"prediction_id": [*asked.ids[:3], "x"], "left": [1, 0, None, "?"]}, "labels.csv")
    joined = asked.join(labels)
    assert (joined.joined, joined.unknown, joined.refused) == (2, 1, 1)


@pytest.mark.parametrize("label", ["2", "maybe", 0.5, ""])
def test_what_is_no_class_is_refused(tmp_path: Path, label: object) -> None:
    table = customers()
    table["left"] = [int(label == "yes") for label in table["left"]]
    model = trained(write_csv(tmp_path, table), tmp_path)
    asked = ask(model, [ROW], tmp_path)
    joined = asked.join(write_csv(tmp_path, {"prediction_id": [asked.ids[0]], "left": [label]}, "labels.csv"))
    assert joined.joined == 0


def test_labels_join_by_identifiers_with_leading_zeros(tmp_path: Path) -> None:
    model = trained(fault("leading-zeros"), tmp_path)
    rows = objects(texts(fault("leading-zeros", "ask.csv")))
    rows = [row | {name: float(row[name]) for name in ("age", "fee", "visits")} for row in rows]
    asked = ask(model, rows, tmp_path)
    assert asked.feedback([{"entity": "000000", "label": "no"}]) == 1
    file = copied(tmp_path, "leading-zeros", "labels.csv")
    assert asked.join(file).joined == 40
    truth = texts(file)["left"].tolist()
    assert [labelled(asked)[id] for id in asked.ids] == truth


IDENTIFIERS: dict[str, list[object]] = {
    "whole numbers": list(range(1, ROWS + 1)),
    "leading zeros": [f"{number:06d}" for number in range(ROWS)],
    "eighteen digits": [100000000000000001 + number for number in range(ROWS)],
    "twenty-four digits": [str(10**23 + number) for number in range(ROWS)],
    "like powers of ten": [f"{number}E5" for number in range(1, ROWS + 1)],
    "like dates": [f"2024-{number:04d}" for number in range(ROWS)],
}


@pytest.fixture(scope="module", params=IDENTIFIERS)
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, list[Any]]:
    folder, names = tmp_path_factory.mktemp("named"), IDENTIFIERS[request.param]
    table = {"customer_id": names, **customers()}
    model = trained(write_csv(folder, table), folder)
    assert model.use_case.data.id == "customer_id"
    return model, names


def test_an_identifier_joins_by_every_road(named: tuple[Trained, list[Any]], tmp_path: Path) -> None:
    model, names = named
    some = names[:6]
    asked = ask(model, [ROW | {"customer_id": name} for name in some], tmp_path)
    labels = write_csv(tmp_path, {"customer_id": some, "left": ["yes"] * 6}, "labels.csv")
    assert asked.join(labels).joined == 6
    with_gap = {"customer_id": [*some, None], "left": ["no"] * 7}
    joined = asked.join(write_csv(tmp_path, with_gap, "gap.csv"))
    assert (joined.joined, joined.refused) == (6, 1)
    for place, kind in enumerate(types_for(some)):
        values = [Decimal(name) for name in some] if pa.types.is_decimal(kind) else some
        values = list(map(str, some)) if kind in {pa.string(), pa.large_string()} else values
        table = pa.table({"customer_id": pa.array(values, kind), "left": ["yes", "no"] * 3})
        pq.write_table(table, tmp_path / f"{place}.parquet")
        assert asked.join(tmp_path / f"{place}.parquet").joined == 6, kind
    assert asked.feedback([{"entity": name, "label": "yes"} for name in some]) == 6
    assert asked.feedback([{"entity": f" {name} ", "label": "yes"} for name in some]) == 6


@pytest.mark.slow
def test_an_identifier_that_comes_in_a_table_is_found_as_one_of_a_request(
    named: tuple[Trained, list[Any]], tmp_path: Path
) -> None:
    model, names = named
    with service_of(model.bundle, tmp_path) as service:
        for place, kind in enumerate(types_for(names)):
            some = names[6 * place : 6 * place + 6]
            values = [Decimal(name) for name in some] if pa.types.is_decimal(kind) else some
            values = list(map(str, some)) if kind in {pa.string(), pa.large_string()} else values
            table, sink = pa.Table.from_pylist([ROW] * 6), BytesIO()
            pq.write_table(table.append_column("customer_id", pa.array(values, kind)), sink)
            reply = service.post("/predict", sink.getvalue(), {"content-type": "application/vnd.apache.parquet"})
            assert reply.status == 200, reply.text
            service.settle()
            sent = {"labels": [{"entity": name, "label": "yes"} for name in some]}
            assert service.post("/feedback", sent).json()["known"] == [True] * 6, kind


def types_for(names: Sequence[Any]) -> list[pa.DataType]:
    if not isinstance(names[0], int):
        return [pa.string(), pa.large_string()]
    kinds = [pa.int64(), pa.uint64(), pa.decimal128(20, 0), pa.decimal128(22, 2), pa.string()]
    return [*kinds, pa.int16(), pa.float64(), pa.float32()] if max(names) < 10_000 else kinds


def test_an_identifier_is_not_found_by_another_that_only_looks_like_it(tmp_path: Path) -> None:
    model = trained(fault("leading-zeros"), tmp_path)
    row = {"age": 50, "fee": 20.5, "visits": 15, "plan": "plus", "zip": "01099"}
    asked = ask(model, [row | {"customer_id": "000001"}], tmp_path)
    assert asked.feedback([{"entity": "0000001", "label": "no"}]) == 0
    assert asked.feedback([{"entity": 1, "label": "no"}]) == 0
    with raises("predictions.labels_unknown"):
        asked.join(write_csv(tmp_path, {"customer_id": ["1"], "left": ["no"]}, "labels.csv"))


def test_a_target_of_amounts_has_one_meaning_in_its_labels(tmp_path: Path) -> None:
    paid = [grouped(one, ".", ",") for one in amounts()]
    table = customers(spread(amounts()))
    del table["left"]
    table["paid"] = paid
    model = trained(write_csv(tmp_path, table, separator=";"), tmp_path, target="paid")
    assert model.use_case.problem.task == "regression"
    assert metric(model, "mae") > 0
    learned = sorted(pd.concat([model.train, model.test])["paid"].tolist())
    assert learned == sorted(amounts())
    asked = ask(model, [ROW] * 3, tmp_path)
    labels = write_csv(
        tmp_path, {"prediction_id": asked.ids, "paid": ["1.234,50", "1234,50", "12"]}, "labels.csv", separator=";"
    )
    assert asked.join(labels).joined == 3
    assert [float(str(labelled(asked)[id])) for id in asked.ids] == [1234.5, 1234.5, 12.0]


def test_question_marks_among_classes_are_gaps_or_told(tmp_path: Path) -> None:
    table = customers()
    marks = cycled([None] * 20 + ["?"])
    table["left"] = [mark or label for mark, label in zip(marks, table["left"], strict=True)]
    proposed = propose(write_csv(tmp_path, table))
    assert proposed.use_case.problem.task == "binary" or "?" in proposed.about("left")
