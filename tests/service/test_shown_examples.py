"""Which rows of a model people get to see: nobody's, real ones or none; never what is hashed, dropped or cut."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from app.serving.service_probe import curl_commands
from noria.bundle import Bundle
from noria.bundle.erasure import erase_from_bundle
from noria.bundle.seal import seal
from noria.predictions.erasure import EntityMatcher
from noria.traffic import activation
from service.app import App
from service.runtime import Runtime
from tests.bundles import Case, changed, churn, make

if TYPE_CHECKING:
    from starlette.testclient import TestClient

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")
SURNAME, STREET = "Quasimodo-Zebulon", "Only Their Street"


@pytest.fixture(scope="module")
def case() -> Case:
    """Customers whose street is rare, and whose surname is their own."""
    found = churn()
    train = found.train.head(600).reset_index(drop=True)
    names = [f"{SURNAME}-{place:04d}" for place in range(len(train))]
    train = train.assign(surname=names, street=np.where(np.arange(len(train)) % 2, "High Street", "Low Street"))
    train.loc[3, "street"] = STREET
    use_case = changed(found.use_case, features={"categorical": ["surname"], "max_categories": 700})
    return Case(use_case, train, found.test)


@pytest.fixture(scope="module")
def bundle(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make(case, "tree", tmp_path_factory.mktemp("shown") / "bundle")


Serve = Callable[..., "TestClient"]


@pytest.fixture
def serve(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts the service in this process with these settings of `serving`."""
    from starlette.testclient import TestClient

    with ExitStack() as stack:

        def get(served: Bundle = bundle, **serving: Any) -> "TestClient":
            activation.write_plan(tmp_path, activation.TrafficPlan.of(served.folder, "1"))
            monkeypatch.setenv("NORIA_SERVICE_DIR", str(tmp_path))
            monkeypatch.setenv("NORIA_PREDICTIONS_URL", f"sqlite:///{tmp_path / 'predictions.db'}")
            monkeypatch.setenv("NORIA_SERVING", json.dumps(serving))
            monkeypatch.setenv("NORIA_PRIVACY_KEY", "0" * 32)
            runtime = Runtime()
            runtime.start()
            stack.callback(runtime.stop)
            app = App(runtime)
            app.started()
            return TestClient(app, base_url="http://127.0.0.1")

        yield get


def shown(client: "TestClient") -> list[dict[str, Any]]:
    """The example rows of `GET /model`, after those of the document have been compared with them."""
    examples: list[dict[str, Any]] = client.get("/model").json()["examples"]
    body = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert body.get("example") == ({"rows": examples[:1]} if examples else None)
    return examples


def real(rows: list[dict[str, Any]], train: pd.DataFrame) -> list[bool]:
    """Whether each row is one of the training rows, by its surname and charges."""
    known = set(zip(train["surname"], train["total_charges"], strict=True))
    return [(row["surname"], row["total_charges"]) in known for row in rows]


def test_examples_are_nobodys_and_are_answered(serve: Serve, case: Case) -> None:
    client = serve()
    rows = shown(client)
    assert len(rows) == 5
    assert not any(real(rows, case.train))
    text = json.dumps(rows)
    assert SURNAME not in text
    assert STREET not in text
    answers = client.post("/predict", json={"rows": rows}, headers={"X-Noria-Test": "1"})
    assert answers.status_code == 200
    unseen = {warning.split(":")[0] for answer in answers.json()["predictions"] for warning in answer["warnings"]}
    assert unseen <= {"surname"}  # the placeholder


def test_real_examples_are_a_choice(serve: Serve, case: Case) -> None:
    rows = shown(serve(examples="real"))
    assert len(rows) == 5
    assert all(real(rows, case.train))


def test_no_examples_are_a_choice(serve: Serve, bundle: Bundle, case: Case) -> None:
    assert shown(serve(examples="none")) == []
    silent = changed(case.use_case, serving={"examples": "none"})
    assert curl_commands("http://127.0.0.1:3000", bundle, silent) == []
    assert len(curl_commands("http://127.0.0.1:3000", bundle, case.use_case)) == 1


@pytest.mark.parametrize("examples", ["synthetic", "real"])
def test_what_is_not_kept_is_not_shown(serve: Serve, examples: str) -> None:
    privacy = {"hash": ["surname"], "drop": ["total_charges"], "truncate": {"street": 2, "monthly_charges": 1}}
    client = serve(examples=examples, privacy=privacy)
    rows = shown(client)
    assert {(row["surname"], row["total_charges"], row["monthly_charges"]) for row in rows} == {(None, None, None)}
    assert {len(row["street"]) for row in rows} == {2}
    assert SURNAME not in client.get("/model").text
    assert STREET not in client.get("/model").text + client.get("/openapi.json").text
    assert SURNAME not in client.get("/openapi.json").text
    answered = client.post("/predict", json={"rows": rows}, headers={"X-Noria-Test": "1"})
    assert answered.status_code == 200


def test_real_rows_of_an_earlier_bundle_are_shown_only_on_demand(
    serve: Serve, bundle: Bundle, case: Case, tmp_path: Path
) -> None:
    """Its `examples.json` holds training rows."""
    old = make(case, "tree", tmp_path / "old")
    (old.folder / "examples.json").write_text(json.dumps(bundle.real_examples()), encoding="utf-8")
    for name in ("manifest.json", "manifest.sha256"):
        (old.folder / name).unlink()
    seal(old.folder, old.manifest.model_copy(update={"examples": "real", "files": {}}))
    assert shown(serve(old)) == []


def test_an_erased_person_leaves_real_examples(bundle: Bundle, case: Case, tmp_path: Path) -> None:
    own = make(case, "tree", tmp_path / "bundle")
    name = own.real_examples()[0]["surname"]
    matcher = EntityMatcher(case.use_case.name, "customer", case.use_case.data.target, [name], [])
    done = erase_from_bundle(own.folder, matcher)
    assert done.rows == 2  # of the reference sample and of the background
    assert name not in [row["surname"] for row in Bundle.load(own.folder).real_examples()]
    assert "manifest.json" in done.left
