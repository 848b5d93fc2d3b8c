"""History features of models in use: the bundle, the predictor, and the service with its store."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from noria.batch import predict_file
from noria.bundle import Bundle
from noria.bundle.erasure import erase_from_bundle
from noria.config import UseCase
from noria.deployment.smoke_tests import smoke_rows
from noria.history import add_history
from noria.predictions import PredictionStore
from noria.predictions.erasure import EntityMatcher
from noria.predictions.spool.backlog import wait_until_flushed
from noria.serving.predictor import Predictor
from tests.history.past_cases import FEATURES, bundle, table, use_case
from tests.service_here import service_here

if TYPE_CHECKING:
    from starlette.testclient import TestClient

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")
ASKED = ["trip", "at", "line", "stop", "load", "hours", "wind"]


def trips() -> pd.DataFrame:
    return table(420).sort_values("at", kind="stable").reset_index(drop=True)


def bodies(rows: pd.DataFrame) -> list[dict[str, Any]]:
    shown = rows[ASKED].assign(at=rows["at"].astype(str)).astype(object)
    found: list[dict[str, Any]] = shown.where(shown.notna(), None).to_dict("records")
    return found


def case_of(**keys: Any) -> UseCase:
    return use_case([each for each in FEATURES if each["name"] != "late_all"], **keys)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORIA_SERVICE_DIR", str(tmp_path))
    monkeypatch.setenv("NORIA_PREDICTIONS_URL", f"sqlite:///{tmp_path / 'predictions.db'}")
    return tmp_path


def replay(client: "TestClient", later: pd.DataFrame, labelled: pd.DataFrame) -> None:
    """Ask about later trips hour by hour; labels, of earlier ones too, are brought when they are known."""
    brought: set[str] = set()
    for _, rows in later.groupby(later["at"].dt.floor("1h")):
        known = labelled[labelled["at"] + pd.Timedelta("6h") < rows["at"].max() - pd.Timedelta("1h")]
        due = known[~known["trip"].isin(brought)]
        brought |= set(due["trip"])
        if len(due):
            labels = [{"entity": trip, "label": late} for trip, late in zip(due["trip"], due["late"], strict=True)]
            assert client.post("/feedback", json={"labels": labels}).status_code == 200
        answer = client.post("/predict", json={"rows": bodies(rows)})
        assert answer.status_code == 200, answer.text
        assert answer.json()["ignored"] == []


def stored(folder: Path, names: list[str]) -> pd.DataFrame:
    assert wait_until_flushed(folder / "spool", 60)
    store = PredictionStore(f"sqlite:///{folder / 'predictions.db'}")
    window = store.window(pd.Timestamp("2000-01-01", tz="UTC").to_pydatetime())
    store.close()
    return window.set_index("entity")[names].astype(float)


def test_the_service_answers_with_the_features_that_training_would_have_computed(home: Path) -> None:
    frame, case = trips(), case_of()
    learned, later = frame.iloc[:220], frame.iloc[220:]
    model = bundle(learned, case, home / "bundle")
    names = [feature.name for feature in case.features.history]

    with service_here(model, home) as client:
        replay(client, later, later)
        answers = stored(home, names)

    # what is learned has its labels already; the table, too, knows them all
    expected = add_history(frame, case).iloc[220:].set_index("trip")[names]
    pd.testing.assert_frame_equal(
        answers.sort_index(), expected.sort_index(), check_exact=True, check_names=False, check_dtype=False
    )


def test_a_worker_that_starts_anew_knows_from_the_store_what_was_asked_before(home: Path) -> None:
    frame, case = trips(), case_of()
    learned, later = frame.iloc[:150], frame.iloc[150:400]
    model = bundle(learned, case, home / "bundle")
    last = bodies(frame.iloc[400:])
    with service_here(model, home) as client:
        replay(client, later, later)
        assert wait_until_flushed(home / "spool", 60)
        before = [one["probability"] for one in client.post("/predict", json={"rows": last}).json()["predictions"]]
        assert wait_until_flushed(home / "spool", 60)

    with service_here(Bundle.load(model.folder), home) as client:
        after = [one["probability"] for one in client.post("/predict", json={"rows": last}).json()["predictions"]]

    assert after == before


def test_a_value_that_is_sent_for_a_computed_feature_is_ignored_and_the_answer_says_so(home: Path) -> None:
    frame, case = trips(), case_of()
    model = bundle(frame, case, home / "bundle")
    rows = bodies(frame.tail(3))
    with service_here(model, home) as client:
        plain = client.post("/predict", json={"rows": rows}).json()
        sent = client.post("/predict", json={"rows": [row | {"late_6h": 1.0, "trips_2h": 99} for row in rows]}).json()
        inputs = [column["name"] for column in client.get("/model").json()["inputs"]]
        document = client.get("/openapi.json").json()["components"]["schemas"]["Row"]
        examples = client.get("/model").json()["examples"]
        explained = client.post("/explain", json={"rows": rows[:1]}).json()["explanations"][0]

    assert sent["ignored"] == ["late_6h", "trips_2h"]
    assert [one["probability"] for one in sent["predictions"]] == [one["probability"] for one in plain["predictions"]]
    assert set(inputs) == set(ASKED) - {"trip"}
    assert all(set(example) == set(inputs) for example in examples)
    assert {"late_6h", "trips_2h"} <= {part["feature"] for part in explained["contributions"]}
    assert set(document["properties"]) == set(ASKED)
    assert set(document["required"]) == set(inputs)


def test_a_predictor_in_this_process_learns_from_what_it_is_shown(tmp_path: Path) -> None:
    frame, case = trips(), case_of()
    learned, later = frame.iloc[:300], frame.iloc[300:]
    predictor = Predictor.of(bundle(learned, case, tmp_path / "bundle"))
    names = predictor.bundle.manifest.schema_.names
    assert predictor.history is not None

    answers = predictor.predict_rows(bodies(later))

    expected = predictor.bundle.predict(later)
    assert [one["probability"] for one in answers] == pytest.approx(expected["probability"].tolist(), abs=1e-6)
    known = predictor.bundle.with_history(later)[names]
    changed = ["late_6h", "late_known"]
    predictor.history.add(
        predictor.history.read({name: later[name] for name in predictor.history.spec.inputs}),
        later["trip"].tolist(),
        later["trip"].tolist(),
    )
    for trip, late in zip(later["trip"], later["late"], strict=True):
        assert predictor.history.label(late, entity=trip)
    after = predictor.bundle.with_history(later)[names]
    pd.testing.assert_frame_equal(known.drop(columns=changed), after.drop(columns=changed), check_exact=True)
    expected_all = add_history(frame, case).iloc[300:][changed]
    pd.testing.assert_frame_equal(after[changed], expected_all, check_exact=True)
    assert not np.array_equal(known["late_known"], after["late_known"])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_is_predicted_with_the_features_of_its_own_rows(ending: str, tmp_path: Path) -> None:
    frame, case = trips(), case_of()
    learned, later = frame.iloc[:300], frame.iloc[300:].sample(frac=1, random_state=2).reset_index(drop=True)
    model = bundle(learned, case, tmp_path / "bundle")
    source, target = tmp_path / f"later.{ending}", tmp_path / f"out.{ending}"
    later.to_csv(source, index=False) if ending == "csv" else later.to_parquet(source)

    predict_file(Bundle.load(model.folder), source, target, chunk_rows=17, quarantine=tmp_path / "bad.csv")

    out = pd.read_csv(target) if ending == "csv" else pd.read_parquet(target)
    expected = model.predict(later)
    assert out["probability"].tolist() == pytest.approx(expected["probability"].tolist(), abs=1e-9)
    assert out["trip"].tolist() == later["trip"].tolist()
    alone = [model.predict(later.iloc[[place]])["probability"].iloc[0] for place in range(40)]
    assert alone != pytest.approx(expected["probability"].tolist()[:40], abs=1e-9)  # rows do count for each other


def test_a_case_is_erased_from_the_earlier_cases_too(tmp_path: Path) -> None:
    frame, case = trips(), case_of()
    frame["trip"] = [f"trip-{number:05d}" for number in range(len(frame))]
    model = bundle(frame, case, tmp_path / "bundle")
    name = str(frame["trip"].iloc[-1])
    assert name.encode() in (model.folder / "history.msgpack").read_bytes()
    assert model.history is not None
    before = len(model.history)

    done = erase_from_bundle(model.folder, EntityMatcher(case.name, "trip", "late", [name], []))

    assert name.encode() not in (model.folder / "history.msgpack").read_bytes()
    assert done.rows
    again = Bundle.load(model.folder).history
    assert again is not None
    assert len(again) == before - 1


def test_cases_of_a_model_keep_their_place_under_hashed_names(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, case = trips(), case_of()
    model = bundle(frame, case, home / "bundle")
    monkeypatch.setenv("NORIA_PRIVACY_KEY", "k" * 32)
    monkeypatch.setenv("NORIA_SERVING", '{"privacy": {"hash": ["trip"]}}')
    rows = bodies(frame.tail(1))
    later = [rows[0] | {"trip": "later", "at": str(frame["at"].max() + pd.Timedelta("30min"))}]
    with service_here(model, home) as client:
        first = client.post("/predict", json={"rows": later}, headers={"noria-test": "1"}).json()
        client.post("/predict", json={"rows": rows})  # a case that the model has learned is asked about again
        second = client.post("/predict", json={"rows": later}).json()

    assert first["predictions"][0]["probability"] == second["predictions"][0]["probability"]


def test_a_smoke_test_gets_the_same_answer_from_a_server_that_knows_more_cases(tmp_path: Path) -> None:
    frame, case = trips(), case_of()
    model = bundle(frame.iloc[:300], case, tmp_path / "bundle")
    predictor, rows = Predictor.of(Bundle.load(model.folder)), smoke_rows(model)
    last = bodies(frame.tail(1))
    before = predictor.predict_rows(last)[0]["probability"]
    assert predictor.history is not None

    later = frame.iloc[300:]
    names = predictor.history.spec.inputs
    predictor.history.add(
        predictor.history.read({name: later[name] for name in names}), [*later["trip"]], [*later["trip"]]
    )

    assert predictor.predict_rows(last)[0]["probability"] != before
    answers = [one["probability"] for one in predictor.predict_rows(rows)]
    assert answers == pytest.approx(model.predict(pd.DataFrame(rows))["probability"].tolist(), abs=1e-6)
