"""What is an identifier or a group: a name raises the question, the values decide, and the file says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.config import UseCase, load_use_case
from noria.profiling.scaffold import Proposal, propose
from noria.profiling.scaffold.name_hints import is_id

ROWS = 600
DRAW = np.random.default_rng(0)
LEVEL = DRAW.normal(size=ROWS)
MEASURED = np.round(300 + 80 * LEVEL).astype(int)
PERSON = DRAW.integers(1, 80, ROWS)
OF_PERSON = DRAW.normal(size=80)[PERSON]
NOTHING = np.zeros(ROWS)


def proposed(folder: Path, drives: Any, **columns: Any) -> tuple[UseCase, Proposal]:
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({"pulse": draw.normal(70, 9, ROWS), "weight": draw.normal(70, 9, ROWS), **columns})
    frame["ill"] = np.where(drives + draw.normal(size=ROWS) > 0, "yes", "no")
    frame.to_parquet(folder / "cases.parquet")
    proposal = propose(str(folder / "cases.parquet"), "ill")
    path = folder / "cases.yaml"
    path.write_text(proposal.yaml, encoding="utf-8")
    return load_use_case(path), proposal


def about(proposal: Proposal, column: str) -> str:
    return "\n".join(note for note in proposal.notes if f"`{column}`" in note)


@pytest.mark.parametrize(
    "name", ["uric_acid", "paid", "grid", "humid", "bid", "lipid", "Covid", "identity", "keyed", "idle"]
)
def test_part_of_a_word_is_no_identifier(name: str) -> None:
    assert not is_id(name)


@pytest.mark.parametrize(
    "name", ["id", "patient_id", "patientId", "PatientID", "patientid", "ID", "id_kunde", "user-id", "row.uuid"]
)
def test_a_word_of_its_own_is_one(name: str) -> None:
    assert is_id(name)


@pytest.mark.parametrize("name", ["uric_acid", "paid", "heat_index", "room_number", "lab_id", "shop_no"])
def test_a_measure_stays_a_feature_whatever_its_name(tmp_path: Path, name: str) -> None:
    use_case, proposal = proposed(tmp_path, LEVEL * 2, **{name: MEASURED})
    assert (use_case.split.method, use_case.data.id) == ("stratified", None)
    assert use_case.features.exclude == use_case.features.categorical == []
    assert name in use_case.data.expectations.columns
    if name not in {"uric_acid", "paid"}:
        assert "as a measure does" in about(proposal, name)
        assert f"`features.exclude: [{name}]`" in about(proposal, name)


def test_a_measure_with_its_peak_in_the_middle_stays_one(tmp_path: Path) -> None:
    use_case, _ = proposed(tmp_path, 3 * (np.abs(LEVEL) - 0.7), heat_index=MEASURED)
    assert (use_case.split.method, use_case.data.id) == ("stratified", None)


@pytest.mark.parametrize("name", ["patient_id", "PatientID", "member_no"])
@pytest.mark.parametrize("is_text", [False, True])
def test_a_repeated_key_is_a_group_and_told(tmp_path: Path, name: str, is_text: bool) -> None:
    values: Any = [f"P{number:03d}" for number in PERSON] if is_text else PERSON
    use_case, proposal = proposed(tmp_path, OF_PERSON, **{name: values})
    assert (use_case.split.method, use_case.split.group) == ("group", name)
    assert "different values in 600 rows" in about(proposal, name)
    assert "to change it: `split.method: stratified`" in about(proposal, name)
    assert "different values in 600 rows" in proposal.yaml


def test_a_key_that_drifts_with_the_target_stays_a_group_and_is_asked_about(tmp_path: Path) -> None:
    use_case, proposal = proposed(tmp_path, np.linspace(-0.4, 0.4, ROWS), patient_id=np.sort(PERSON))
    assert use_case.split.group == "patient_id"
    assert about(proposal, "patient_id").startswith("Please confirm: ")


def test_numbers_that_name_nothing_are_no_group(tmp_path: Path) -> None:
    use_case, _ = proposed(tmp_path, NOTHING, house_no=PERSON)
    assert use_case.split.method == "stratified"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("customer_id", DRAW.permutation(100_000)[:ROWS]),
        ("row", np.arange(ROWS)),
        ("Unnamed: 0", np.arange(ROWS)),
        ("code", [f"X-{number * 7919 % 100_003:06d}" for number in range(ROWS)]),
    ],
)
def test_what_is_all_different_and_tells_nothing_identifies_a_case(tmp_path: Path, name: str, values: Any) -> None:
    use_case, proposal = proposed(tmp_path, NOTHING, **{name: values})
    assert use_case.data.id == name
    assert "all 600 values are different" in about(proposal, name)
    assert f"to change it: remove `id: {name}` from `data`" in about(proposal, name)


@pytest.mark.parametrize("name", ["odometer", "salary"])
def test_a_measure_that_is_all_different_is_no_identifier(tmp_path: Path, name: str) -> None:
    use_case, _ = proposed(tmp_path, NOTHING, **{name: np.random.default_rng(2).permutation(100_000)[:ROWS]})
    assert use_case.data.id is None
    assert use_case.features.exclude == []


@pytest.mark.parametrize("name", ["reference", "contract"])
def test_numbers_that_would_repeat_by_chance_but_do_not_identify_a_case(tmp_path: Path, name: str) -> None:
    use_case, proposal = proposed(tmp_path, NOTHING, **{name: np.random.default_rng(2).permutation(9_000)[:ROWS]})
    assert use_case.data.id == name
    assert about(proposal, name).startswith("Please confirm: ")
    assert f"remove `id: {name}` from `data`" in about(proposal, name)


@pytest.mark.parametrize("name", ["patient", "machine"])
def test_numbers_that_act_like_a_group_are_asked_about(tmp_path: Path, name: str) -> None:
    use_case, proposal = proposed(tmp_path, 2 * OF_PERSON, **{name: PERSON})
    assert use_case.split.method == "stratified"
    assert about(proposal, name).startswith("Please confirm: ")
    assert f"`split: {{method: group, group: {name}}}`" in about(proposal, name)


def test_counts_are_not_asked_about(tmp_path: Path) -> None:
    _, proposal = proposed(tmp_path, NOTHING, visits=PERSON, calls=MEASURED)
    assert not about(proposal, "visits")
    assert not about(proposal, "calls")


def test_an_identifier_of_a_sorted_table_stays_one_and_is_asked_about(tmp_path: Path) -> None:
    use_case, proposal = proposed(tmp_path, np.linspace(-3, 3, ROWS), id=np.arange(ROWS))
    assert use_case.data.id == "id"
    assert "as if the table were sorted" in about(proposal, "id")
    assert about(proposal, "id").startswith("Please confirm: ")


def test_time_and_what_is_left_out_are_told_with_the_line_to_change(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=ROWS)
    use_case, proposal = proposed(
        tmp_path, NOTHING, signed=days, due_date=days + pd.Timedelta(days=9), patient_id=PERSON
    )
    assert (use_case.split.method, use_case.data.time) == ("time", "signed")
    assert "to change it: remove `time: signed` from `data`" in about(proposal, "signed")
    assert "`data.time: due_date`" in about(proposal, "due_date")
    assert "`split: {method: group, group: patient_id}`" in about(proposal, "patient_id")
    assert "remove it from `features.exclude`" in about(proposal, "patient_id")


def test_rows_that_agree_by_chance_are_drawn_one_by_one_and_told(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({name: draw.choice(["yes", "no"], 800) for name in ["a", "b", "c", "d", "e", "f", "g"]})
    frame.to_parquet(tmp_path / "answers.parquet")
    proposal = propose(str(tmp_path / "answers.parquet"), "g")
    assert "  copies: free #" in proposal.yaml
    assert any("`split.copies: together`" in note for note in proposal.notes)


def test_a_class_of_copies_alone_is_learned_from_all_the_same(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"size": draw.normal(size=300), "kind": draw.choice(["a", "b"], 300), "done": "no"})
    frame.loc[:19, ["size", "kind", "done"]] = [9.5, "a", "yes"]
    frame.to_parquet(tmp_path / "cases.parquet")
    proposal = propose(str(tmp_path / "cases.parquet"), "done")
    assert "  copies: free #" in proposal.yaml
    assert any("on one side alone" in note for note in proposal.notes)
