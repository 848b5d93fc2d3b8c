"""The cases that the page asks people to label, and what their labels keep."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asked import UNREACHABLE, Asked, asked

from noria.bundle import Bundle
from noria.predictions import PredictionStore
from tests.labelling.cases import selected_to_teach

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}


@pytest.fixture
def service(mixed_linear: Bundle, tmp_path: Path) -> Iterator[Asked]:
    folder = tmp_path / "service"
    folder.mkdir()
    with asked(mixed_linear, folder) as running:
        yield running
        running.settle()


def _predicted(service: Asked, rows: int = 3) -> list[str]:
    reply = service.post("/predict", {"rows": [ROW | {"age": 30 + n} for n in range(rows)]})
    service.settle()
    return [each["id"] for each in reply.json()["predictions"]]


def _want(service: Asked, ids: list[str]) -> None:
    """What `run.py label` writes beside the service's folder."""
    folder = service.folder.parent / "labels"
    folder.mkdir(exist_ok=True)
    cases = [{"id": id, "reason": "few learned rows are like it", "inputs": {"age": 30}} for id in ids]
    (folder / "wanted.json").write_text(json.dumps(cases), encoding="utf-8")
    lines = "\n".join(f"{id},rare,1.0,2026-01-01" for id in ids)
    (folder / "asked.csv").write_text(f"prediction_id,selected_by,probability,asked_at\n{lines}\n", encoding="utf-8")


def _label(service: Asked, id: str, label: str, by: str) -> int:
    return service.post("/feedback", {"labels": [{"id": id, "label": label, "by": by}]}).status


def test_cases_that_were_asked_for_are_shown_until_they_have_a_label(service: Asked) -> None:
    ids = _predicted(service)
    _want(service, [ids[0], ids[1], "gone"])
    shown = service.ask("GET", "/label/cases").json()
    assert [case["id"] for case in shown["cases"]] == ids[:2]
    assert shown["facts"]["classes"] == ["No", "Yes"]
    assert _label(service, ids[0], "Yes", "Ann") == 200
    assert [case["id"] for case in service.ask("GET", "/label/cases").json()["cases"]] == [ids[1]]


def test_a_label_keeps_who_gave_it_and_how_its_case_was_selected(service: Asked) -> None:
    ids = _predicted(service)
    _want(service, ids[:1])
    assert _label(service, ids[0], "Yes", "Ann") == _label(service, ids[1], "No", "Ben") == 200
    assert service.post("/feedback", {"labels": [{"id": ids[2], "label": "No"}]}).status == 200
    store = PredictionStore(f"sqlite:///{service.folder / 'predictions.db'}")
    try:
        given = {each.prediction_id: each.given_by for each in store.given_labels(ids)}
        assert given == {ids[0]: "Ann", ids[1]: "Ben"}
        assert selected_to_teach(store) == set(ids[:2])
        assert len(store.window(datetime(2020, 1, 1, tzinfo=UTC), labelled=True)) == 3
    finally:
        store.close()


def test_somebody_else_does_not_overrule_a_label(service: Asked) -> None:
    first = _predicted(service)[0]
    assert _label(service, first, "Yes", "Ann") == 200
    reply = service.post("/feedback", {"labels": [{"id": first, "label": "No", "by": "Ben"}]})
    assert (reply.status, reply.json()["code"]) == (422, "request.labels_contradict")
    assert _label(service, first, "No", "Ann") == 200, "a person may change their own answer"


@pytest.mark.parametrize("by", ["", "  ", None, 7, "a\nb", "x" * 101])
def test_a_name_is_a_short_text(service: Asked, by: object) -> None:
    reply = service.post("/feedback", {"labels": [{"id": "0" * 32, "label": "Yes", "by": by}]})
    assert reply.json()["code"] == "request.labels_invalid"


def test_a_label_of_a_person_is_kept_while_the_store_is_down(mixed_linear: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "service"
    folder.mkdir()
    with asked(mixed_linear, folder) as service:
        ids = _predicted(service)
        assert _label(service, ids[1], "Yes", "Ann") == 200
        _want(service, ids[:2])
    with asked(mixed_linear, folder, UNREACHABLE) as service:
        sent = [{"id": ids[0], "label": "Yes", "by": "Ben"}, {"id": ids[1], "label": "No", "by": "Ben"}]
        reply = service.post("/feedback", {"labels": sent})
        assert (reply.status, reply.json()) == (200, {"known": [None, None]})
    with asked(mixed_linear, folder) as service:
        service.settle()
    store = PredictionStore(f"sqlite:///{folder / 'predictions.db'}")
    try:
        given = {(each.prediction_id, each.given_by) for each in store.given_labels(ids)}
        assert given == {(ids[0], "Ben"), (ids[1], "Ann"), (ids[1], "Ben")}
        assert ids[0] in selected_to_teach(store)
        labels = store.window(datetime(2020, 1, 1, tzinfo=UTC)).set_index("prediction_id")["label"]
        assert (labels[ids[0]], labels[ids[1]]) == ("Yes", "Yes"), "nobody overrules somebody else unseen"
    finally:
        store.close()
