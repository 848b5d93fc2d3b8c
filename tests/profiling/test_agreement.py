"""`new`, `explore` and training give one answer to one question: what a column is, and whether it leaks."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.config import UseCase, load_use_case
from noria.data.sources import read_table
from noria.data.split import split
from noria.data.validation import validate
from noria.profiling.report import TableProfile, profile_table
from noria.profiling.scaffold import propose
from noria.schema import InputSchema
from noria.system import progress
from tests.data.cases import use_case
from tests.listening import listen

ROWS = 150
LEAK_ROWS = 600


def texts(different: int, rows: int = ROWS) -> list[str]:
    return [f"text {row % different}" for row in range(rows)]


DAYS = pd.date_range("2024-01-01", periods=ROWS)
COLUMNS: dict[str, tuple[Any, str | None]] = {
    # column → its values, and the kind that training learns; None: no feature
    "many_texts": (texts(80), None),
    "category": (texts(20), "category"),
    "fifty_categories": (texts(50), "category"),
    "fifty_one_categories": (texts(51), "category"),
    # not more than half of all values, but of those in the training rows
    "sixty_texts": (texts(60), None),
    "prose": ([f"the customer called on day {row} and asked" for row in range(ROWS)], None),
    "short_prose": ([f"called us about bill {row % 40}" for row in range(ROWS)], "category"),
    "digits": ([f"{row % 7:03d}" for row in range(ROWS)], "category"),
    "unique_digits": ([f"{row:05d}" for row in range(ROWS)], None),
    "constant_text": (["same"] * ROWS, None),
    "constant_number": ([7] * ROWS, None),
    "constant_with_gaps": (["same", None] * (ROWS // 2), "category"),
    "number_with_gaps": ([7.0, None] * (ROWS // 2), "number"),
    "empty": ([None] * ROWS, None),
    "blank": (["", "  "] * (ROWS // 2), None),
    "flag": ([True, False, False] * (ROWS // 3), "category"),
    "flag_with_gaps": (pd.array([True, False, None] * (ROWS // 3), dtype="boolean"), "category"),
    "small_codes": ([row % 3 for row in range(ROWS)], "number"),
    "zip_code": ([10_000 + row % 9 for row in range(ROWS)], "category"),
    "days_in_digits": ([20240101 + row % 28 for row in range(ROWS)], "datetime"),
    "decimal": ([Decimal(row) / 3 for row in range(ROWS)], "number"),
    "day_text": (list(DAYS.strftime("%Y-%m-%d")), "datetime"),
    "birth_date": ([dt.date(1960, 1, 1) + dt.timedelta(days=row) for row in range(ROWS)], "datetime"),
    "some_dates": ([*DAYS.strftime("%Y-%m-%d")[1:], "soon"], None),
    "grades": (pd.Categorical([row % 4 for row in range(ROWS)]), "number"),  # Parquet files hold its numbers
    "colours": (pd.Categorical(texts(3)), "category"),
    "length_of_time": (pd.to_timedelta([row % 5 for row in range(ROWS)], "h"), "category"),
    "lists": ([[row % 3] for row in range(ROWS)], "category"),
    "customer_id": (list(range(1000, 1000 + ROWS)), None),
}


def awkward(rows: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame({"size": random.normal(size=rows), "y": random.choice(["yes", "no"], rows)})


def proposed(frame: pd.DataFrame, folder: Path, target: str = "y") -> UseCase:
    path = folder / "table.parquet"
    frame.to_parquet(path)
    written = folder / "proposed.yaml"
    written.write_text(propose(str(path), target).yaml, encoding="utf-8")
    return load_use_case(written)


def explored(case: UseCase) -> tuple[TableProfile, InputSchema]:
    table = read_table(case.data, case.reading)
    case = case.with_readings(table.readings)
    valid = validate(table.frame, case)
    return profile_table(valid.frame, case, valid.quarantined), InputSchema.fit(split(valid.frame, case)[0], case)


def undeclared(case: UseCase) -> UseCase:
    """The same use case without any declared type or role."""
    plain = {"features": {"calendar": ["month"]}, "data": {"id": None, "time": None, "expectations": {}}}
    raw = case.model_dump(mode="json", exclude_unset=True) | {"split": {"method": "stratified"}}
    raw["data"] = raw["data"] | plain["data"]
    return UseCase.model_validate(raw | {"features": plain["features"], "rules": {"otherwise": "no"}})


@pytest.mark.parametrize("name", COLUMNS)
def test_a_proposal_the_report_and_training_agree(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values, kind = COLUMNS[name]
    case = proposed(awkward().assign(**{name: values}), tmp_path)
    warned: list[str] = []
    monkeypatch.setattr(progress, "warn", warned.append)
    profile, schema = explored(case)
    learned = {column.name: column.kind for column in schema.columns}
    column = profile.column(name)

    assert learned.get(name) == kind
    # training finds nothing to drop that the proposal has not excluded
    assert not [text for text in warned if name in text]
    assert (name not in case.not_features) == (kind is not None)
    assert column.is_feature == (kind is not None and column.role == "input")
    if kind is not None:
        assert column.kind == kind


@pytest.mark.parametrize("name", COLUMNS)
def test_without_a_declaration_the_report_says_what_training_drops(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = undeclared(proposed(awkward().assign(**{name: COLUMNS[name][0]}), tmp_path))
    warned: list[str] = []
    monkeypatch.setattr(progress, "warn", warned.append)
    profile, schema = explored(case)
    column = profile.column(name)
    learned = {each.name: each.kind for each in schema.columns}

    assert column.is_feature == (name in learned)
    if column.is_feature:
        assert column.kind == learned[name]
    else:
        assert warned == [f"column `{name}` is no feature: {column.unusable_reason}"]
        assert any(name in finding and "Dropped in training" in finding for finding in profile.warnings)


def test_eighty_texts_in_150_rows_are_dropped_and_the_report_says_so(tmp_path: Path) -> None:
    case = undeclared(proposed(awkward().assign(place=COLUMNS["many_texts"][0]), tmp_path))
    profile, schema = explored(case)
    assert "place" not in schema.names
    assert (profile.column("place").kind, profile.column("place").unusable) == ("text", "free text")
    assert "Dropped in training as free text or identifiers that hardly repeat: place." in profile.warnings


def test_dates_as_text_are_dates_where_they_are_not_declared(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=30).strftime("%d.%m.%Y")
    frame = awkward().assign(joined_until=[days[row % 30] for row in range(ROWS)])
    case = proposed(frame, tmp_path)
    assert case.data.expectations.columns["joined_until"].type == "datetime"
    assert case.data.columns["joined_until"].format == "%d.%m.%Y"
    profile, schema = explored(undeclared(case))
    assert profile.column("joined_until").kind == "datetime"
    assert "joined_until" in schema.names


def test_a_column_that_is_constant_in_the_training_rows_only_is_dropped_by_all(tmp_path: Path) -> None:
    frame = awkward().assign(day=DAYS, campaign=["none"] * 120 + ["spring"] * 30)
    case = proposed(frame, tmp_path)
    assert case.split.method == "time"
    assert "campaign" in case.features.exclude
    plain = undeclared(case).model_dump(mode="json", exclude_unset=True)
    by_time = UseCase.model_validate(plain | {"split": {"method": "time"}, "data": {**plain["data"], "time": "day"}})
    profile, schema = explored(by_time)
    assert "campaign" not in schema.names
    assert profile.column("campaign").unusable == "constant"
    assert profile.column("campaign").distinct == 2


def test_what_training_refuses_to_read_is_a_red_finding(tmp_path: Path) -> None:
    case = use_case(features={"numeric": ["code"]})
    frame = awkward().assign(code=["12", "x"] * (ROWS // 2))
    profile = profile_table(frame, case, pd.DataFrame({"reason": []}))
    assert [finding.tone for finding in profile.findings if "Training will stop at code" in finding.text] == ["bad"]


def leaking(error: float, seed: int = 1) -> Callable[[pd.Series], pd.Series]:
    """A code that says the class, and is wrong for this share of the rows."""
    random = np.random.default_rng(seed)
    return lambda y: y.where(random.random(len(y)) >= error, y.map({"yes": "no", "no": "yes"})).map(
        {"yes": "A", "no": "B"}
    )


@pytest.mark.parametrize(
    ("error", "suspected", "questioned"),
    [(0, 1, 0), (0.005, 1, 0), (0.015, 1, 0), (0.06, 0, 1), (0.2, 0, 0)],
)
def test_new_and_explore_suspect_the_same_columns(
    tmp_path: Path, error: float, suspected: int, questioned: int
) -> None:
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text) if kind == progress.WARNING else None)
    frame = awkward(LEAK_ROWS)
    frame["status"] = leaking(error)(frame["y"])
    case = proposed(frame, tmp_path)
    assert case.data.unavailable_at_prediction == ["status"] * suspected
    # what is kept from the model, and what a person must be asked, is told while `new` works
    assert len([text for text in heard if "`status`" in text and "data.unavailable_at_prediction" in text]) == (
        suspected + questioned
    )
    assert not any("status" in rule.when for rule in case.rules.conditions) or not (suspected or questioned)
    profile, _ = explored(
        undeclared(case).model_copy(update={"data": case.data.model_copy(update={"unavailable_at_prediction": []})})
    )
    assert list(profile.suspects) == case.data.unavailable_at_prediction
    assert list(profile.questioned) == ["status"] * questioned
    red = [finding.text for finding in profile.findings if finding.tone == "bad"]
    assert len(red) == suspected + questioned
    assert all("status is suspected of leakage: alone" in text for text in red)
    assert ("data.unavailable_at_prediction: [status]" in profile.leakage_warning) == bool(suspected or questioned)


def test_sums_and_near_copies_of_a_number_are_suspected_by_both(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.integers(0, 500, LEAK_ROWS) for name in ("casual", "registered")})
    frame["total"] = frame["casual"] + frame["registered"]
    frame["billed"] = frame["total"] * 1.19 + random.normal(0, 5, LEAK_ROWS)
    frame["forecast"] = frame["total"] + random.normal(0, 60, LEAK_ROWS)
    case = proposed(frame, tmp_path, "total")
    silent = case.data.model_copy(update={"unavailable_at_prediction": []})
    profile, _ = explored(case.model_copy(update={"data": silent}))
    assert set(profile.suspects) == set(case.data.unavailable_at_prediction) == {"casual", "registered", "billed"}
    assert any("casual + registered = total" in finding.text for finding in profile.findings)


def test_a_text_that_hardly_repeats_is_no_leak_in_a_small_table(tmp_path: Path) -> None:
    frame = awkward(60).assign(name=texts(45, 60))
    case = proposed(frame, tmp_path)
    assert case.data.unavailable_at_prediction == []
    assert explored(case)[0].suspects == {}
