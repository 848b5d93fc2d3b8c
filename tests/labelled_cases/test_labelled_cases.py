"""Labelled predictions become rows to learn from: each case once, with what may be kept of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from noria.config import UseCase
from noria.config.modelling import FeaturesConfig
from noria.data.validation import validate
from noria.data.window import within_window
from noria.labelled_cases import TrainingTable, case_settings, read_training_table, training_fingerprint
from noria.labelled_cases.results import KNOWN, LABELLED_LATER, OTHER_SCHEMA, REPEATED, TOO_YOUNG, UNREADABLE, UNTIMED
from noria.labelled_cases.training_table import tell_cases
from noria.predictions import SMOKE, Feedback, PredictionStore
from noria.predictions.privacy import Redactor
from noria.system.workspace import Workspace
from tests.errors_raised import raises
from tests.predicted import prediction_event

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
ASKED = NOW - timedelta(days=20)
INPUTS = {"age": 31.0, "city": "Rome"}
Read = Callable[..., TrainingTable]
CASES = [{"name": "table", "path": "TABLE"}, {"name": "asked", "kind": "predictions"}]


def table(rows: int = 12) -> pd.DataFrame:
    days = pd.date_range("2026-01-01", periods=rows, freq="D")
    columns = {
        "customer": [f"c{place}" for place in range(rows)],
        "day": days.strftime("%Y-%m-%d"),
        "age": [20 + place for place in range(rows)],
        "city": ["Rome", "Oslo", "Bern"] * (rows // 3),
        "note": ["late", "early"] * (rows // 2),
        "left": ["Yes", "No"] * (rows // 2),
    }
    return pd.DataFrame(columns)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NORIA_PREDICTIONS_URL", raising=False)


@pytest.fixture
def case(tmp_path: Path) -> Callable[..., UseCase]:
    """A use case of the table, with these keys of `data` and sections."""

    def build(*, serving: dict[str, Any] | None = None, split: dict[str, Any] | None = None, **data: Any) -> UseCase:
        file = tmp_path / "table.csv"
        if not file.exists():
            table().to_csv(file, index=False)
        sources = [
            {**source, "path": str(file)} if "path" in source else source for source in data.pop("sources", CASES)
        ]
        roles = {"id": "customer", "time": "day", "unavailable_at_prediction": ["note"]} | data
        raw: dict[str, Any] = {
            "name": "leavers",
            "problem": {
                "question": "Which customer will leave?",
                "decided_by": "the team",
                "needed": "daily",
                "business_figure": "share",
                "label_delay_days": 5,
                "task": "binary",
                "positive": "Yes",
                "worth": {"true_positive": 1, "false_positive": -1, "false_negative": 0},
            },
            "data": {"sources": sources, "target": "left", **roles},
            "rules": {"otherwise": "No"},
            "evaluation": {"metric": "roc_auc"},
            "serving": serving or {},
            "split": split or {},
        }
        return UseCase.model_validate(raw)

    return build


@pytest.fixture
def store() -> PredictionStore:
    return PredictionStore(Workspace("leavers").predictions_url)


def ask(
    store: PredictionStore,
    inputs: dict[str, object] | None = None,
    label: str | None = "Yes",
    *,
    at: datetime = ASKED,
    happens: datetime | None = None,
    labelled: datetime | None = None,
    **changes: Any,
) -> str:
    """One prediction, and its label a day later."""
    times = None if happens is None else [happens.timestamp()]
    event = prediction_event(at, inputs or INPUTS, event_times=times, **changes)
    store.ingest([event])
    if label is not None:
        known = labelled or at + timedelta(days=1)
        store.add_labels([Feedback(id=event.ids[0], label=label, at=known)], now=NOW)
    return event.ids[0]


def read(use_case: UseCase) -> TrainingTable:
    return read_training_table(use_case.data, case_settings(use_case, now=NOW), use_case.reading)


MAY = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_labelled_case_is_a_row_as_it_was_asked(case: Callable[..., UseCase], store: PredictionStore) -> None:
    ask(store, entity="x1", happens=MAY)
    found = read(case())
    assert len(found.frame) == 13
    row = found.frame.iloc[-1]
    assert (row["customer"], row["age"], row["city"], row["left"]) == ("x1", 31, "Rome", "Yes")
    assert row["day"] == pd.Timestamp("2026-05-01")
    assert pd.isna(row["note"]), "it is not known when the question is asked"
    assert found.frame.dtypes.astype(str).to_dict() == read(case(sources=CASES[:1])).frame.dtypes.astype(str).to_dict()
    assert found.cases is not None
    assert (found.cases.found, found.cases.taken, found.cases.left_out, found.cases.absent) == (1, 1, {}, {})
    assert (found.cases.first, found.cases.last) == (MAY, MAY)
    validated = validate(found.frame, case().with_readings(found.readings))
    assert len(validated.frame) == 13


def test_tests_shadows_and_cases_without_a_label_do_not_count(
    case: Callable[..., UseCase], store: PredictionStore
) -> None:
    sent = ask(store, happens=MAY)
    for more in ({"variant": SMOKE}, {"is_test": True}, {"shadow_of": [sent], "variant": "new"}):
        ask(store, INPUTS | {"age": 55.0}, happens=MAY, **more)
    ask(store, INPUTS | {"age": 66.0}, None, happens=MAY)
    found = read(case())
    assert found.cases is not None and (found.cases.found, found.cases.taken) == (1, 1)


def test_young_cases_wait_though_their_label_is_known(case: Callable[..., UseCase], store: PredictionStore) -> None:
    ask(store, entity="young", happens=NOW - timedelta(days=4))
    ask(store, entity="future", happens=NOW + timedelta(days=4))
    ask(store, entity="old", happens=NOW - timedelta(days=6))
    found = read(case())
    assert found.cases is not None and found.cases.left_out == {TOO_YOUNG: 2}
    assert found.frame["customer"].tolist()[12:] == ["old"]


def test_labels_that_came_later_are_not_known_yet(case: Callable[..., UseCase], store: PredictionStore) -> None:
    ask(store, entity="x1", happens=MAY, labelled=NOW - timedelta(days=1))
    ask(store, entity="x2", happens=MAY, labelled=NOW - timedelta(days=3))
    use_case = case()
    settings = case_settings(use_case, now=NOW - timedelta(days=2))
    found = read_training_table(use_case.data, settings)
    assert found.cases is not None
    assert (found.cases.found, found.cases.taken, found.cases.left_out) == (2, 1, {LABELLED_LATER: 1})


def test_of_several_predictions_of_a_case_the_newest_before_the_label_counts(
    case: Callable[..., UseCase], store: PredictionStore
) -> None:
    for age, days in ((30.0, 3), (31.0, 2), (32.0, 0)):
        ask(store, INPUTS | {"age": age}, None, entity="x", at=ASKED - timedelta(days=days), happens=MAY)
    store.add_labels([Feedback(entity="x", label="Yes", at=ASKED - timedelta(days=1))], now=NOW)
    for age in (40.0, 41.0):  # without an identifier: the same inputs at the same time
        ask(store, INPUTS | {"age": age}, happens=MAY)
        ask(store, INPUTS | {"age": age}, happens=MAY)
    found = read(case())
    assert found.cases is not None and found.cases.left_out == {REPEATED: 4}
    assert found.frame["age"].tolist()[12:] == [31, 40, 41]


def test_cases_of_the_table_are_known_by_their_identifier(case: Callable[..., UseCase], store: PredictionStore) -> None:
    ask(store, label="Yes", entity="c0", happens=MAY)
    ask(store, label="Yes", entity="c1", happens=MAY)  # `No` in the table
    ask(store, label="No", entity="c99", happens=MAY)
    found = read(case())
    assert found.cases is not None
    assert (found.cases.left_out, found.cases.contradicting, found.cases.taken) == ({KNOWN: 2}, 1, 1)
    assert any("another label" in warning for warning in found.cases.warnings())


def test_without_identifiers_cases_of_the_table_are_known_by_their_values(
    case: Callable[..., UseCase], store: PredictionStore
) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    ask(store, {"age": 20.0, "city": "Rome"}, "No", happens=first)  # `Yes` in the table
    ask(store, {"age": 20.0, "city": "Rome"}, "Yes", happens=first + timedelta(days=1))
    found = read(case(id=None))
    assert found.cases is not None
    assert (found.cases.left_out, found.cases.contradicting, found.cases.taken) == ({KNOWN: 1}, 1, 1)


def test_without_identifier_and_time_the_label_must_agree_too(
    case: Callable[..., UseCase], store: PredictionStore
) -> None:
    for label in ("Yes", "No", "No"):
        ask(store, {"age": 20.0, "city": "Rome", "day": "2026-01-01"}, label)
    found = read(case(id=None, time=None))
    assert found.cases is not None
    assert (found.cases.left_out, found.cases.taken) == ({KNOWN: 1}, 2), "two customers may agree in all inputs"


def test_a_label_of_another_value_is_told(case: Callable[..., UseCase], store: PredictionStore) -> None:
    id = ask(store, happens=MAY)
    store.add_labels([Feedback(id=id, label="No", at=ASKED)], now=NOW)
    found = read(case())
    assert found.cases is not None and found.cases.changed == 1
    assert found.frame["left"].iloc[-1] == "No"


def test_what_is_hidden_does_not_come_back_and_its_price_is_told(
    case: Callable[..., UseCase],
    store: PredictionStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    use_case = case(serving={"privacy": {"hash": ["customer"], "drop": ["city"], "truncate": {"age": 1}}})
    redactor = Redactor(use_case.serving.privacy, list(INPUTS), b"key", id="customer")
    row = dict(zip(INPUTS, redactor.row(list(INPUTS.values())), strict=True))
    for entity in ("c3", "x1"):
        ask(store, row, entity=redactor.entity(entity), happens=MAY)

    without_key = read(use_case)
    monkeypatch.setenv("NORIA_PRIVACY_KEY", "key")
    found = read(use_case)

    assert without_key.cases is not None and without_key.cases.taken == 2, "whose case it is cannot be told"
    assert found.cases is not None
    assert (found.cases.taken, found.cases.left_out) == (1, {KNOWN: 1})
    assert found.cases.hidden == {"age": 1, "city": 1}
    last = found.frame.iloc[-1]
    assert last[["age", "city"]].isna().all()
    assert last["customer"] not in {"x1", redactor.entity("x1")} and last["left"] == "Yes"
    caplog.set_level("WARNING", logger="noria.progress")
    tell_cases(found)
    assert "privacy" in caplog.text


def test_a_time_that_is_hidden_or_unknown_leaves_the_case_out_where_the_split_needs_it(
    case: Callable[..., UseCase], store: PredictionStore
) -> None:
    ask(store, entity="x1", happens=MAY)
    ask(store, entity="x2")  # only the clock knows
    found = read(case(split={"method": "time"}))
    assert found.cases is not None and (found.cases.taken, found.cases.left_out) == (1, {UNTIMED: 1})
    hidden = read(case(split={"method": "time"}, serving={"privacy": {"drop": ["day"]}}))
    assert hidden.cases is not None and hidden.cases.left_out == {UNTIMED: 2}
    assert len(read(case()).frame) == 14


def test_columns_that_were_renamed_added_or_removed_are_told(
    case: Callable[..., UseCase], store: PredictionStore
) -> None:
    ask(store, {"years": 31.0, "city": "Rome"}, entity="renamed", happens=MAY, version="1")
    ask(store, {"city": "Rome"}, entity="added since", happens=MAY, version="2")
    ask(store, INPUTS | {"gone": 1.0}, entity="removed since", happens=MAY, version="3")
    found = read(case())
    assert found.cases is not None
    assert found.frame["customer"].tolist()[12:] == ["added since", "removed since"]
    assert found.cases.left_out == {OTHER_SCHEMA: 1}
    assert (found.cases.absent, found.cases.unknown) == ({"age": 2}, {"years": 1, "gone": 1})


def test_a_value_that_cannot_be_read_leaves_the_case_out(case: Callable[..., UseCase], store: PredictionStore) -> None:
    ask(store, INPUTS | {"age": "a hash"}, entity="x1", happens=MAY)
    ask(store, entity="x2", happens=MAY)
    found = read(case())
    assert found.cases is not None and found.cases.left_out == {UNREADABLE: 1}
    assert pd.api.types.is_numeric_dtype(found.frame["age"])


def test_the_fingerprint_changes_with_labelled_cases_only(case: Callable[..., UseCase], store: PredictionStore) -> None:
    use_case = case()
    empty = training_fingerprint(use_case, now=NOW)
    id = ask(store, label=None, happens=MAY)
    assert training_fingerprint(use_case, now=NOW) == empty, "an answer without its label teaches nothing"
    store.add_labels([Feedback(id=id, label="Yes", at=ASKED)], now=NOW)
    labelled = training_fingerprint(use_case, now=NOW)
    store.add_labels([Feedback(id=id, label="Yes", at=NOW)], now=NOW)
    assert training_fingerprint(use_case, now=NOW) == labelled != empty
    store.add_labels([Feedback(id=id, label="No", at=NOW)], now=NOW)
    assert training_fingerprint(use_case, now=NOW) not in {labelled, empty}
    assert training_fingerprint(case(sources=CASES[:1]), now=NOW) != empty


def test_before_the_first_deploy_there_are_no_cases_and_no_store(case: Callable[..., UseCase], tmp_path: Path) -> None:
    found = read(case())
    assert found.cases is not None and (found.cases.found, len(found.frame)) == (0, 12)
    assert training_fingerprint(case())
    assert not list((tmp_path / "home").rglob("predictions.db"))


def test_a_store_that_is_named_and_not_there_is_an_error(case: Callable[..., UseCase], tmp_path: Path) -> None:
    for source in ({"url": f"sqlite:///{tmp_path / 'none.db'}"}, {"use_case": "another"}):
        with raises("cases.store_missing"):
            read(case(sources=[CASES[0], CASES[1] | source]))
    assert not (tmp_path / "none.db").exists()


def test_a_step_that_does_not_see_the_store_says_so(case: Callable[..., UseCase], store: PredictionStore) -> None:
    use_case = case()
    with raises("cases.store_unreachable"):
        read_training_table(use_case.data, case_settings(use_case, known=True, now=NOW))


def test_a_store_of_another_place_is_read(
    case: Callable[..., UseCase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE", str(tmp_path / "elsewhere.db"))
    ask(PredictionStore(f"sqlite:///{tmp_path / 'elsewhere.db'}"), entity="x1", happens=MAY)
    found = read(case(sources=[CASES[0], CASES[1] | {"url": "sqlite:///${env:STORE}"}]))
    assert found.cases is not None and found.cases.taken == 1


def test_a_window_slides_over_the_table_and_its_cases(case: Callable[..., UseCase], store: PredictionStore) -> None:
    ask(store, entity="x1", happens=datetime(2026, 1, 14, tzinfo=UTC))
    use_case = case(window={"days": 5})
    found = read(use_case)
    assert len(found.frame) == 13, "features of earlier cases need all rows"
    kept = within_window(validate(found.frame, use_case).frame, use_case.window, "day")
    assert (len(kept), kept["day"].min()) == (5, pd.Timestamp("2026-01-09"))


@pytest.mark.parametrize(
    "data",
    [
        {"sources": [CASES[1]]},
        {"sources": [CASES[0], CASES[1] | {"path": "x.csv"}]},
        {"sources": [CASES[0] | {"use_case": "another"}]},
        {"window": {"days": 5}, "time": None},
        {"window": {"half_life_days": 5}, "time": None},
        {"window": "auto"},
        {"window": {}},
    ],
)
def test_sources_and_windows_that_make_no_sense_are_refused(case: Callable[..., UseCase], data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"table|predictions|time|days"):
        case(**data)


def test_privacy_counts_for_training_only_where_it_reads_the_store(case: Callable[..., UseCase]) -> None:
    private = {"privacy": {"drop": ["city"]}}
    assert case(serving=private).for_training().serving.privacy.drop == ["city"]
    assert case(serving=private, sources=CASES[:1]).for_training().serving.privacy.drop == []


def test_features_that_are_counted_from_earlier_cases_are_no_other_schema(
    case: Callable[..., UseCase], store: PredictionStore
) -> None:
    """Predictions hold them, the table does not, and it lacks another column: still the same case."""
    history = [{"name": "left_7d", "of": "left", "stat": "rate", "by": ["city"], "over": "7d"}]
    use_case = case().model_copy(update={"features": FeaturesConfig.model_validate({"history": history})})
    ask(store, {"age": 99.0, "left_7d": 0.5})
    found = read(use_case)
    assert found.cases is not None
    assert (found.cases.taken, found.cases.unknown, found.cases.left_out) == (1, {}, {})
