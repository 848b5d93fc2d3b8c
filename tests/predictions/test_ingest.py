"""What the spool hands over is kept once, and labels find their prediction in whatever order they come."""

import pandas as pd
import pytest

from noria.predictions import SMOKE, Feedback, PredictionStore, inputs_of
from noria.predictions.ids import new_id
from noria.system.errors import NoriaError
from tests.errors_raised import raises
from tests.predictions.conftest import Direct
from tests.predictions.events import EPOCH, NOON, answered, failed, labelled


def labels_of(store: PredictionStore, **asked: bool) -> dict[str, object]:
    window = store.window(NOON, **asked)  # type: ignore[arg-type]
    found = [None if pd.isna(label) else label for label in window["label"]]
    return dict(zip(window["prediction_id"], found, strict=True))


def test_what_was_answered_comes_out_as_it_went_in(store: PredictionStore, direct: Direct) -> None:
    entry = answered(
        *("a", "b"),
        features=[[3.5, "ü \x00 '"], [None, True]],
        entities=["c1", None],
        predictions=["Yes", 12.5],
        probabilities=[0.25, None],
        decisions=["act", "leave"],
        warnings=["contract: unseen \x00", ""],
        policy="7",
        second=0.123456,
    )
    assert store.ingest([entry]) == 2
    window = store.window(NOON)
    assert inputs_of(window).to_numpy().tolist()[0] == [3.5, "ü \x00 '"]
    assert inputs_of(window).loc[1, "contract"] is True
    assert window["prediction"].tolist() == ["Yes", 12.5]
    assert window["probability"].fillna(-1).tolist() == [0.25, -1]
    assert window["entity"].tolist()[0] == "c1"
    assert window["latency_ms"].tolist() == [2.5, 2.5]
    assert abs(window.loc[0, "at"].timestamp() - EPOCH - 0.123456) < 1e-6
    assert direct.rows("select policy from predictions") == [("7",), ("7",)]


def test_entries_that_come_again_change_nothing(store: PredictionStore, direct: Direct) -> None:
    entries = [answered("a", "b", entities=["c1", "c2"]), labelled("No", entity="c1"), failed("champion")]
    assert store.ingest(entries) == 2
    assert store.ingest(entries) == 0
    assert store.ingest([*entries, answered("c")]) == 1
    assert store.counts().predictions == 3
    assert direct.rows("select count(*) from labels") == [(1,)]
    assert direct.rows("select count(*) from events") == [(1,)]


def test_an_entry_twice_in_one_round_is_kept_once(store: PredictionStore) -> None:
    entry = answered("a")
    assert store.ingest([entry, entry]) == 1


def test_a_round_is_kept_whole_or_not_at_all(store: PredictionStore) -> None:
    with pytest.raises(NoriaError):
        store.ingest([answered("a"), answered("b", decisions=[None]), answered("c")])
    assert store.counts().predictions == 0


def test_a_label_before_its_prediction_has_been_flushed_is_joined(store: PredictionStore) -> None:
    known = store.add_labels([Feedback(id="a", label="Yes"), Feedback(entity="c2", label="No")])
    assert known == [False, False]
    store.ingest([answered("a", "b", "c", entities=["c1", "c2", "c3"])])
    assert labels_of(store) == {"a": "Yes", "b": "No", "c": None}
    assert store.counts().unmatched_labels == 0


def test_a_label_for_an_unknown_prediction_is_kept_aside(store: PredictionStore, direct: Direct) -> None:
    store.ingest([answered("a"), labelled("Yes", id="nobody knows"), labelled("No", entity="nobody")])
    assert store.counts().unmatched_labels == 2
    assert labels_of(store) == {"a": None}
    kept = direct.rows("select prediction_id, entity, cast(label as text) from labels order by seq")
    assert kept == [("nobody knows", None, '"Yes"'), (None, "nobody", '"No"')]


def test_a_label_that_is_sent_again_is_kept_once(store: PredictionStore, direct: Direct) -> None:
    store.ingest([answered("a", entities=["c1"])])
    first, second = Feedback(id="a", label="No", key="k1"), Feedback(id="a", label="Yes", key="k2")
    assert store.add_labels([first, first]) == [True, True]
    assert store.add_labels([second]) == [True]
    assert store.add_labels([first]) == [True]  # sent again after the correction: the correction holds
    store.ingest([labelled("No", key="k1", id="a")])
    assert labels_of(store) == {"a": "Yes"}
    assert direct.rows("select id from labels order by seq") == [("k1",), ("k2",)]


def test_within_one_round_a_case_is_labelled_in_the_order_of_its_entries(store: PredictionStore) -> None:
    store.ingest(
        [
            answered("first", entities=["c1"]),
            labelled("No", entity="c1", second=1),
            answered("second", entities=["c1"], second=2),
            answered("other", entities=["c2"], second=2),
            labelled("Yes", entity="c2", second=3),
        ]
    )
    assert labels_of(store) == {"first": "No", "second": None, "other": "Yes"}
    store.ingest([labelled("Yes", id="second", second=4), labelled("No", entity="c1", second=5)])
    assert labels_of(store) == {"first": "No", "second": "No", "other": "Yes"}


def test_labels_of_predictions_and_of_cases_in_one_call(store: PredictionStore) -> None:
    store.ingest([answered("a", "b", entities=["c1", "c1"])])
    store.add_labels([Feedback(id="a", label="Yes"), Feedback(entity="c1", label="No")])
    assert labels_of(store) == {"a": "Yes", "b": "No"}


def test_what_cannot_be_a_label_does_not_hold_up_the_rest(store: PredictionStore, direct: Direct) -> None:
    nothing, both = labelled(None, id="a"), labelled("Yes", id="a", entity="c1")
    store.ingest([nothing, both, answered("a")])
    assert labels_of(store) == {"a": None}
    assert direct.rows("select kind from events") == [("label",), ("label",)]


def test_names_of_any_length_are_kept_and_found(store: PredictionStore) -> None:
    long, other = "x" * 5000 + "1", "x" * 5000 + "2"
    store.ingest([answered("a", "b", "c", entities=[long, other, "n\x00l"])])
    assert store.add_labels([Feedback(entity=long, label="Yes"), Feedback(id=long, label="No")]) == [True, False]
    assert store.add_labels([Feedback(entity="n\x00l", label="No")]) == [True]
    assert labels_of(store) == {"a": "Yes", "b": None, "c": "No"}


def test_several_thousand_rows_at_once(store: PredictionStore) -> None:
    store.ingest([answered(*(f"{number}-{row}" for row in range(100)), second=number) for number in range(40)])
    assert (store.counts().requests, store.counts().predictions) == (40, 4000)


def test_shadows_are_logged_but_count_as_no_answer(store: PredictionStore) -> None:
    store.ingest([answered("a"), answered("s", variant="new", shadow_of=["a"])])
    assert store.counts().predictions == 1
    assert store.window(NOON)["prediction_id"].tolist() == ["a"]
    assert store.window(NOON, shadows=True)["variant"].tolist() == ["champion", "new"]
    assert store.window(NOON, variants=["new"], shadows=True)["prediction_id"].tolist() == ["s"]
    assert len(store.window(NOON, variants=["new"])) == 0


def test_a_smoke_test_with_a_real_case_takes_none_of_its_labels(store: PredictionStore) -> None:
    assert store.add_labels([Feedback(entity="c2", label="No")]) == [False]
    store.ingest([answered("smoke", "too", variant=SMOKE, entities=["c1", "c2"])])
    assert store.add_labels([Feedback(entity="c1", label="Yes")]) == [False]
    store.ingest([answered("real", "other", entities=["c1", "c2"], second=60)])
    assert labels_of(store) == {"real": "Yes", "other": "No"}


def test_test_requests_are_kept_but_judged_nowhere(store: PredictionStore, direct: Direct) -> None:
    store.ingest([answered("a", "b", entities=["c1", "c2"]), answered("s", variant="new", shadow_of=["a"])])
    store.ingest([answered("t", is_test=True, entities=["c1"], second=60)])
    store.ingest([answered("ts", variant="new", shadow_of=["t"], is_test=True, second=60)])
    store.ingest([answered("later", is_test=True, entities=["c1"], second=90)])
    assert direct.rows("select id from predictions where is_test order by id") == [("later",), ("t",), ("ts",)]
    assert (store.counts().predictions, store.counts("1").requests) == (2, 1)
    assert store.window(NOON)["prediction_id"].tolist() == ["a", "b"]
    assert store.window(NOON, shadows=True)["prediction_id"].tolist() == ["a", "b", "s"]
    facts = store.variant_statistics(NOON, ["champion", "new"])
    assert [(each.answers, len(each.latencies_ms)) for each in facts.values()] == [(2, 1), (1, 1)]


def test_labels_of_cases_reach_no_test_request(store: PredictionStore, direct: Direct) -> None:
    assert store.add_labels([Feedback(entity="c2", label="No")]) == [False]
    store.ingest([answered("t", "u", is_test=True, entities=["c1", "c2"])])
    assert store.add_labels([Feedback(entity="c1", label="Yes")]) == [False]
    store.ingest([answered("a", "b", entities=["c1", "c2"], second=60)])
    assert labels_of(store) == {"a": "Yes", "b": "No"}
    assert store.add_labels([Feedback(id="t", label="No"), Feedback(entity="c1", label="No")]) == [True, True]
    assert labels_of(store) == {"a": "No", "b": "No"}
    assert (store.counts().labelled, len(store.variant_statistics(NOON, ["champion"])["champion"].labels)) == (2, 2)
    assert direct.rows("select count(*) from predictions where label_id is not null") == [(3,)]


def test_labels_of_a_test_are_checked_and_not_kept(store: PredictionStore, direct: Direct) -> None:
    store.ingest([answered("t", is_test=True, entities=["c1"]), answered("a", entities=["c2"])])
    labels = [Feedback(entity="c1", label="Yes"), Feedback(id="a", label="Yes"), Feedback(entity="c2", label="Yes")]
    assert store.check_labels(labels, refuse_unknown=True) == [True, True, False]
    with raises("predictions.labels_unknown", "none of the 2 cases is known"):
        store.check_labels([labels[2], Feedback(entity="nobody", label="Yes")], refuse_unknown=True)
    assert direct.rows("select count(*) from labels") == [(0,)]


def test_labels_that_all_miss_are_refused_as_a_whole(store: PredictionStore, direct: Direct) -> None:
    store.ingest([answered("a", entities=["c1"])])
    wrong = [Feedback(id="b", label="Yes"), Feedback(entity="c2", label="No")]
    with raises("predictions.labels_unknown", "none of the 2 ids and cases is known"):
        store.add_labels(wrong, refuse_unknown=True)
    assert direct.rows("select count(*) from labels") == [(0,)]
    on_its_way = [*wrong, Feedback(id=new_id(), label="Yes")]
    assert store.add_labels(on_its_way, refuse_unknown=True) == [False, False, False]
    assert store.add_labels([*wrong, Feedback(id="a", label="Yes")], refuse_unknown=True) == [False, False, True]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("by", ["id", "entity"])
def test_a_shadow_gets_the_label_of_the_answer_in_whatever_order_they_come(
    store: PredictionStore, order: tuple[int, ...], by: str
) -> None:
    entries = [
        answered("a", "b", entities=["c1", "c2"]),
        answered("s", "t", variant="new", shadow_of=["a", "b"], entities=["c1", "c2"]),
        labelled("No", **{by: "a" if by == "id" else "c1"}),
    ]
    for position in order:
        store.ingest([entries[position]])
    assert labels_of(store, shadows=True) == {"a": "No", "b": None, "s": "No", "t": None}


def test_two_services_on_one_store(store: PredictionStore, url: str) -> None:
    other = PredictionStore(url)
    store.ingest([answered("a", entities=["c1"])])
    other.ingest([answered("b", entities=["c1"], version="2")])
    assert store.add_labels([Feedback(id="b", label="No")]) == [True]
    assert other.add_labels([Feedback(id="a", label="Yes")]) == [True]
    assert labels_of(store) == labels_of(other) == {"a": "Yes", "b": "No"}
    other.close()


def test_the_clock_jumping_back_loses_nothing_and_the_later_label_holds(store: PredictionStore) -> None:
    store.ingest([answered("a", second=3600), answered("b", second=0)])
    store.add_labels([Feedback(id="a", label="No", at=NOON)])
    store.ingest([labelled("Yes", id="a", second=-3600), answered("c", second=1)])
    assert labels_of(store) == {"b": None, "c": None, "a": "Yes"}


def test_how_variants_compare(store: PredictionStore) -> None:
    store.ingest(
        [
            *(answered(f"a{n}", variant="champion", latency_ms=float(n), second=n) for n in range(1, 101)),
            answered("x", "y", variant="new", latency_ms=7.0, second=50),
            answered("s", variant="quiet", shadow_of=["a1"], second=1),
            *(failed("new", 3, second=50), failed("new", 5, second=-50), failed("champion", second=10)),
            *(labelled("No", id="x"), labelled("Yes", id="a1")),
        ]
    )
    facts = store.variant_statistics(NOON, ["champion", "new", "quiet", "none"])
    assert [(each.answers, each.errors) for each in facts.values()] == [(100, 1), (2, 3), (1, 0), (0, 0)]
    assert (facts["champion"].latency_ms(0.95), facts["new"].latency_ms(0.95)) == (95.0, 7.0)
    assert facts["none"].latency_ms(0.95) is None
    assert len(facts["new"].latencies_ms) == 1  # one request
    assert (facts["new"].labels, facts["new"].predictions, facts["new"].probabilities) == (["No"], ["Yes"], [0.7])
    assert facts["quiet"].labels == ["Yes"]


def test_which_predictions_are_not_known_yet(store: PredictionStore) -> None:
    store.ingest([answered("a", "b")])
    assert store.unknown_ids(["x", "b", "y", "a"]) == ["x", "y"]
    assert store.unknown_ids([]) == []
