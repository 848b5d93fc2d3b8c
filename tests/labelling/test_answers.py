"""People's answers: read from files, compared, settled, and stored with who gave them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.labelling import read_answers, select_cases, take_answers
from noria.labelling.agreement import cohens_kappa, settle
from noria.labelling.answers import Answer, Answers
from noria.labelling.asked import Selection, read_asked, record_asked
from noria.labelling.wanted_file import write_csv, write_label_studio
from noria.predictions import PredictionStore
from noria.system.errors import NoriaError
from tests import bundles
from tests.errors_raised import raises
from tests.labelling.cases import START, logged, selected_to_teach
from tests.predicted import prediction_event

NOW = START + timedelta(days=90)
IDS = [f"p{place}" for place in range(6)]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundles.make(bundles.churn(), "linear", tmp_path_factory.mktemp("bundles") / "linear")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PredictionStore]:
    opened = PredictionStore(f"sqlite:///{tmp_path / 'predictions.db'}")
    opened.ingest([prediction_event(START, {"tenure": 1}, id=name, model="telco_churn") for name in IDS])
    yield opened
    opened.close()


def _read(file: Path, bundle: Bundle) -> Answers:
    return read_answers(str(file), bundles.churn().use_case, bundle.manifest, NOW)


def _answer(prediction: str, label: str, who: str, day: int = 1) -> Answer:
    return Answer(prediction, label, who, START + timedelta(days=day))


def _labels(store: PredictionStore) -> dict[str, str]:
    frame = store.window(START, labelled=True)
    return dict(zip(frame["prediction_id"], frame["label"], strict=True))


def test_the_table_comes_back_filled_in(bundle: Bundle, tmp_path: Path) -> None:
    rows = bundles.churn().test.head(30).assign(contract="=HYPERLINK(1)")
    wanted = select_cases([bundle], logged(bundle, rows), 8)
    write_csv(wanted, bundle.manifest, tmp_path / "wanted.csv")
    table = pd.read_csv(tmp_path / "wanted.csv", dtype=object)
    assert set(table["contract"]) == {"'=HYPERLINK(1)"}
    assert table["churn"].isna().all()
    table.loc[:3, "churn"] = ["Yes", "No", "perhaps", "Yes"]
    table.loc[:3, "labelled_by"] = "Ann"
    table.to_csv(tmp_path / "filled.csv", index=False)
    found = _read(tmp_path / "filled.csv", bundle)
    assert [(each.prediction_id, each.label, each.given_by) for each in found.given] == [
        (wanted[0].prediction_id, "Yes", "Ann"),
        (wanted[1].prediction_id, "No", "Ann"),
        (wanted[3].prediction_id, "Yes", "Ann"),
    ]
    assert [each.prediction_id for each in found.refused] == [wanted[2].prediction_id]
    assert found.empty == 4


def test_label_studio_gets_a_project_and_its_export_is_read(bundle: Bundle, tmp_path: Path) -> None:
    wanted = select_cases([bundle], logged(bundle, bundles.churn().test.head(30)), 3)
    write_label_studio(wanted, bundle.manifest, tmp_path)
    interface = (tmp_path / "config.xml").read_text(encoding="utf-8")
    assert '<Choice value="No" hotkey="1"/>' in interface
    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))

    def annotated(who: str, choice: str) -> dict[str, object]:
        chosen = {"from_name": "label", "type": "choices", "value": {"choices": [choice]}}
        return {"completed_by": {"email": who}, "created_at": "2026-04-01T10:00:00Z", "result": [chosen]}

    tasks[0]["annotations"] = [annotated("ann@example.com", "Yes"), annotated("ben@example.com", "No")]
    tasks[1]["annotations"] = [annotated("ann@example.com", "No") | {"was_cancelled": True}]
    tasks[2]["annotations"] = []
    (tmp_path / "export.json").write_text(json.dumps(tasks), encoding="utf-8")
    found = _read(tmp_path / "export.json", bundle)
    first, at = wanted[0].prediction_id, datetime(2026, 4, 1, 10, tzinfo=UTC)
    assert found.given == [Answer(first, "Yes", "ann@example.com", at), Answer(first, "No", "ben@example.com", at)]
    assert found.empty == 2
    short = [{"prediction_id": "p1", "label": "Yes", "annotator": 7, "updated_at": "2026-04-01T10:00:00Z"}]
    (tmp_path / "min.json").write_text(json.dumps(short), encoding="utf-8")
    assert _read(tmp_path / "min.json", bundle).given == [Answer("p1", "Yes", "7", at)]


@pytest.mark.parametrize("content", ["{", '{"a": 1}', '[{"data": {}, "annotations": []}]', "[1]"])
def test_an_export_that_is_none_is_refused(content: str, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(content, encoding="utf-8")
    with pytest.raises(NoriaError) as error:
        _read(tmp_path / "export.json", bundle)
    assert error.value.code == "labelling.export_unreadable"


def test_a_table_without_the_target_or_from_the_future(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("prediction_id,left\np1,Yes\n", encoding="utf-8")
    with pytest.raises(NoriaError) as error:
        _read(tmp_path / "other.csv", bundle)
    assert error.value.code == "labelling.column_missing"
    (tmp_path / "late.csv").write_text(
        "prediction_id,churn,labelled_at\np1,Yes,2027-01-01T00:00:00Z\np2,No,2026-04-01\np3,No,soon\n", encoding="utf-8"
    )
    found = _read(tmp_path / "late.csv", bundle)
    assert [each.prediction_id for each in found.given] == ["p2"]
    assert [each.prediction_id for each in found.refused] == ["p1", "p3"]


def test_disagreements_are_stored_only_once_they_are_settled(store: PredictionStore, bundle: Bundle) -> None:
    given = [
        *(_answer("p0", "Yes", who) for who in ("Ann", "Ben")),
        *(
            _answer("p1", label, who, day)
            for label, who, day in (("Yes", "Ann", 1), ("Yes", "Ben", 2), ("No", "Cem", 3))
        ),
        *(_answer("p2", label, who) for label, who in (("Yes", "Ann"), ("No", "Ben"))),
    ]
    taken = take_answers(store, Answers(given), bundle.manifest, {})
    assert [each.prediction_id for each in taken.open] == ["p1", "p2"]
    assert taken.open[1].labels == {"Ann": "Yes", "Ben": "No"}
    assert _labels(store) == {"p0": "Yes"}
    taken = take_answers(store, Answers(given), bundle.manifest, {}, "majority")
    assert [each.prediction_id for each in taken.open] == ["p2"]
    assert _labels(store) == {"p0": "Yes", "p1": "Yes"}
    take_answers(store, Answers(given[2:5]), bundle.manifest, {}, "newest")
    assert _labels(store)["p1"] == "No"


def test_a_later_file_of_somebody_else_does_not_win_silently(store: PredictionStore, bundle: Bundle) -> None:
    take_answers(store, Answers([_answer("p0", "Yes", "Ann")]), bundle.manifest, {})
    taken = take_answers(store, Answers([_answer("p0", "No", "Ben", 2)]), bundle.manifest, {})
    assert taken.stored == 0
    assert taken.open[0].labels == {"Ann": "Yes", "Ben": "No"}
    assert _labels(store) == {"p0": "Yes"}
    taken = take_answers(store, Answers([_answer("p0", "No", "Ann", 3)]), bundle.manifest, {})
    assert (taken.stored, _labels(store)) == (1, {"p0": "No"})  # people may change their mind
    assert take_answers(store, Answers([_answer("p0", "No", "Ann", 4)]), bundle.manifest, {}).known == 1


def test_one_person_with_two_labels_at_once_contradicts_themselves() -> None:
    found = settle([_answer("p0", "Yes", "Ann"), _answer("p0", "No", "Ann")])
    assert found.open[0].labels == {"Ann (1)": "Yes", "Ann (2)": "No"}
    unnamed = settle([_answer("p0", "Yes", "unnamed"), _answer("p0", "No", "unnamed", 2)])
    assert len(unnamed.open) == 1


def test_unknown_cases_and_those_of_another_model_are_refused(store: PredictionStore, bundle: Bundle) -> None:
    store.ingest([prediction_event(START, {"x": 1}, id="other", model="bikes")])
    given = [_answer("p0", "Yes", "Ann"), _answer("nobody", "Yes", "Ann"), _answer("other", "Yes", "Ann")]
    taken = take_answers(store, Answers(given), bundle.manifest, {})
    assert taken.stored == 1
    assert [each.prediction_id for each in taken.refused] == ["nobody", "other"]
    with pytest.raises(NoriaError) as error:
        take_answers(store, Answers(given[1:]), bundle.manifest, {})
    assert error.value.code == "labelling.answers_refused"


def test_labels_that_were_asked_for_to_teach_do_not_judge(store: PredictionStore, bundle: Bundle) -> None:
    asked = {"p0": Selection("uncertain", 1.0), "p1": Selection("random", 0.1)}
    take_answers(store, Answers([_answer(name, "Yes", "Ann") for name in ("p0", "p1", "p2")]), bundle.manifest, asked)
    assert selected_to_teach(store) == {"p0"}
    assert not store.has_own_labels()


def test_what_was_asked_is_remembered_with_its_first_probability(bundle: Bundle, tmp_path: Path) -> None:
    frame = logged(bundle, bundles.churn().test.head(50))
    first = select_cases([bundle], frame, 10, seed=1)
    record_asked(first, tmp_path / "asked.csv", NOW)
    record_asked(select_cases([bundle], frame, 50, seed=2), tmp_path / "asked.csv", NOW)
    found = read_asked(tmp_path / "asked.csv")
    assert len(found) == 50
    assert {each.prediction_id: found[each.prediction_id].probability for each in first} == {
        each.prediction_id: pytest.approx(each.probability_selected) for each in first
    }


def test_kappa_is_that_of_the_textbook() -> None:
    pairs = [("Yes", "Yes")] * 20 + [("Yes", "No")] * 5 + [("No", "Yes")] * 10 + [("No", "No")] * 15
    assert cohens_kappa(pairs) == pytest.approx(0.4)
    assert cohens_kappa([("Yes", "Yes")] * 3) is None
    assert cohens_kappa([(1.0, 1.0), (2.0, 3.0)]) is None


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "prediction_id,selected_by,probability\np1,random,often\n", "\x80"])
def test_a_damaged_record_of_what_was_asked_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "asked.csv"
    file.write_bytes(content.encode("latin-1"))
    with raises("labelling.record_unreadable"):
        read_asked(file)
