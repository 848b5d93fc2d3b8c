"""Which predictions may be asked for."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from noria.labelling import read_candidates
from noria.predictions import Feedback, PredictionStore
from noria.system.errors import NoriaError
from tests import bundles
from tests.labelling.cases import START
from tests.predicted import prediction_event

NOW = START + timedelta(days=40)
DAYS = {"old": 0, "labelled": 1, "young": 35}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PredictionStore]:
    opened = PredictionStore(f"sqlite:///{tmp_path / 'predictions.db'}")
    opened.ingest([prediction_event(START + timedelta(days=days), {"a": 1}, id=name) for name, days in DAYS.items()])
    yield opened
    opened.close()


def _asked(store: PredictionStore, *, include_young: bool = False) -> set[str]:
    found = read_candidates(store, bundles.churn().use_case, "1", NOW, include_young=include_young)
    return set(found.unlabelled["prediction_id"])


def test_labels_that_are_still_to_come_are_waited_for(store: PredictionStore) -> None:
    store.add_labels([Feedback(label="Yes", id="labelled")])
    assert _asked(store) == {"old"}
    assert _asked(store, include_young=True) == {"old", "young"}


def test_how_old_a_prediction_is_goes_by_the_time_of_its_case(store: PredictionStore) -> None:
    """One that is asked today about a case of long ago is old, as in a look at the past."""
    store.add_labels([Feedback(label="Yes", id="labelled")])
    store.ingest([prediction_event(NOW, {"a": 1}, id="past", event_times=[START.timestamp()])])
    assert _asked(store) == {"old", "past"}


def test_where_labels_never_come_by_themselves_all_are_asked_for(store: PredictionStore) -> None:
    store.add_labels([Feedback(label="Yes", id="labelled", given_by="Ann")])
    assert _asked(store) == {"old", "young"}


def test_only_young_ones(store: PredictionStore) -> None:
    store.add_labels([Feedback(label="Yes", id=name) for name in ("old", "labelled")])
    with pytest.raises(NoriaError) as error:
        _asked(store)
    assert error.value.code == "labelling.labels_to_come"
