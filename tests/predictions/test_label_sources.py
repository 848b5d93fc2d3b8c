"""How predictions came by their labels, on both databases."""

from datetime import timedelta

from noria.predictions import Feedback, PredictionStore
from tests.predictions.events import NOON, answered


def test_predictions_are_counted_and_listed_by_how_they_came_by_their_labels(store: PredictionStore) -> None:
    store.ingest([answered("a", "b", "c")])
    store.add_labels([Feedback(id="a", label="Yes")])
    store.add_labels([Feedback(id="b", label="No", given_by="Ann", selected_by="random", selection_probability=0.5)])
    since, until = NOON - timedelta(days=1), NOON + timedelta(days=1)
    version = str(store.window(since)["version"].iloc[0])
    counts = store.label_counts(since, until, version)
    by_source = {(has_label, was_asked): count for (_, has_label, was_asked), count in counts.items()}
    assert by_source == {(True, False): 1, (True, True): 1, (False, False): 1}
    found = store.label_sources(since, until, version, 10).set_index("prediction_id")
    assert found.loc[["a", "b", "c"], "is_labelled"].tolist() == [True, True, False]
    assert found.loc["b", "selected_by"] == "random" and found["score"].notna().all()
    assert len(store.label_sources(since, until, version, 2)) == 2
    assert store.label_counts(since, until, "none") == {}
