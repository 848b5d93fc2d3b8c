"""Labels that come for some decisions only: quality is corrected for it, or not claimed."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.metrics.weighted_statistics import binary
from noria.monitoring import MonitoringVerdict, monitor, read_window
from noria.monitoring.partial_labels import WeighedLabels, weigh_labels
from noria.predictions import Feedback, PredictionStore
from noria.system.workspace import Workspace
from tests import bundles
from tests.monitoring.conftest import Tables
from tests.monitoring.served import NOW, serve

ALL = ["act", "ask", "leave"]
OLD = NOW - timedelta(days=40)


def check(bundle: Bundle, store: PredictionStore, use_case: UseCase, workspace: Workspace) -> MonitoringVerdict:
    return monitor(bundle, read_window(store, use_case, bundle.manifest.version, NOW), use_case, workspace, NOW)


def acted_only(use_case: UseCase) -> UseCase:
    """Labels come for them only; all predictions of these tests lie in the window."""
    return bundles.changed(use_case, problem={"labels_for": ["act"]}, monitoring={"window_days": 60.0})


def label(store: PredictionStore, chosen: pd.DataFrame, truth: "pd.Series[str]", **how: object) -> None:
    store.add_labels([Feedback(id=id, label=truth[id], **how) for id in chosen["prediction_id"]])  # type: ignore[arg-type]


@pytest.fixture
def served(churn_bundle: Bundle, churn_rows: Tables, store: PredictionStore) -> "tuple[pd.DataFrame, pd.Series[str]]":
    """Predictions without labels, and what their labels will be."""
    rows = churn_rows[1]
    ids = serve(store, churn_bundle, rows, OLD)
    frame = store.window(OLD - timedelta(days=1)).set_index("prediction_id", drop=False)
    return frame, pd.Series(rows["churn"].to_numpy(), index=ids)


def true_auc(bundle: Bundle) -> float:
    """What the labels of all of these predictions show."""
    return bundle.manifest.metrics["roc_auc"].value


def test_labels_of_acted_cases_alone_give_precision_and_no_figure_for_all(
    churn_bundle: Bundle, churn: UseCase, served: "tuple[pd.DataFrame, pd.Series[str]]",
    store: PredictionStore, workspace: Workspace,
) -> None:  # fmt: skip
    frame, truth = served
    acted = frame[frame["decision"] == "act"]
    label(store, acted, truth)

    verdict = check(churn_bundle, store, acted_only(churn), workspace)

    performance = verdict.performance
    assert performance.metric is None and performance.worth is None and verdict.rules is None
    assert [each.decision for each in performance.decisions] == ["act"]
    figures = {each.name: each for each in performance.decisions[0].figures}
    right = (truth[acted["prediction_id"]] == "Yes").mean()
    assert figures["precision"].now == pytest.approx(right)
    assert figures["precision"].low < right < figures["precision"].high
    assert "worth" in figures
    assert "labels_partial" in {cause.kind for cause in verdict.causes}
    assert verdict.next_command.startswith("python run.py label")
    assert performance.overdue == 0, "labels that are not expected are not overdue"


def test_the_same_is_seen_in_the_data_where_the_use_case_does_not_say_it(
    churn_bundle: Bundle, churn: UseCase, served: "tuple[pd.DataFrame, pd.Series[str]]",
    store: PredictionStore, workspace: Workspace,
) -> None:  # fmt: skip
    frame, truth = served
    label(store, frame[frame["decision"] == "act"], truth)
    performance = check(churn_bundle, store, churn, workspace).performance
    assert performance.metric is None and performance.coverage is not None
    assert {each.decision: each.is_covered for each in performance.coverage.decisions} == {
        "act": True,
        "leave": False,
        "ask": False,
    }


def test_a_fall_of_precision_is_noticed(
    churn_bundle: Bundle, churn: UseCase, served: "tuple[pd.DataFrame, pd.Series[str]]",
    store: PredictionStore, workspace: Workspace,
) -> None:  # fmt: skip
    frame, truth = served
    fewer = truth.mask(np.arange(len(truth)) % 2 == 0, "No")
    label(store, frame[frame["decision"] == "act"], fewer)
    verdict = check(churn_bundle, store, acted_only(churn), workspace)
    assert verdict.verdict == "watch"
    assert "quality" in {cause.kind for cause in verdict.causes}


def test_a_few_random_labels_give_the_figure_for_all(
    churn_bundle: Bundle, churn: UseCase, served: "tuple[pd.DataFrame, pd.Series[str]]",
    store: PredictionStore, workspace: Workspace,
) -> None:  # fmt: skip
    frame, truth = served
    acted, left = frame[frame["decision"] == "act"], frame[frame["decision"] != "act"]
    label(store, acted, truth)
    drawn = left.sample(150, random_state=0)
    label(store, drawn, truth, given_by="Ann", selected_by="random", selection_probability=150 / len(left))

    verdict = check(churn_bundle, store, acted_only(churn), workspace)

    metric, coverage = verdict.performance.metric, verdict.performance.coverage
    assert metric is not None and coverage is not None
    assert metric.low < true_auc(churn_bundle) < metric.high
    assert abs(metric.now - true_auc(churn_bundle)) < 0.04
    assert 50 < coverage.effective < len(acted) + 150
    assert verdict.performance.worth is not None and verdict.rules is not None
    assert verdict.performance.decisions == []


def test_taught_and_random_labels_are_weighed_where_none_comes_by_itself(
    churn_bundle: Bundle, churn: UseCase, served: "tuple[pd.DataFrame, pd.Series[str]]",
    store: PredictionStore, workspace: Workspace,
) -> None:  # fmt: skip
    """Much of the window was chosen because it is hard: the random ones alone would make the model look better."""
    frame, truth = served
    near = (frame["probability"] - 0.4).abs().sort_values().index[: len(frame) // 2]
    rest = frame.drop(index=near)
    drawn = rest.sample(200, random_state=1)
    label(store, frame.loc[near], truth, given_by="Ann", selected_by="uncertain", selection_probability=1.0)
    label(store, drawn, truth, given_by="Ann", selected_by="random", selection_probability=200 / len(rest))

    metric = check(churn_bundle, store, churn, workspace).performance.metric

    positive = (truth[drawn["prediction_id"]] == "Yes").to_numpy()
    alone = binary(positive, drawn["probability"].to_numpy())["roc_auc"](np.ones((1, len(drawn))))[0]
    assert metric is not None
    assert alone - true_auc(churn_bundle) > 0.02
    assert abs(metric.now - true_auc(churn_bundle)) < 0.02


def test_labels_of_all_decisions_are_not_weighed(
    churn_bundle: Bundle, churn: UseCase, served: "tuple[pd.DataFrame, pd.Series[str]]",
    store: PredictionStore, workspace: Workspace,
) -> None:  # fmt: skip
    frame, truth = served
    label(store, frame.sample(frac=0.6, random_state=0), truth)
    performance = check(churn_bundle, store, churn, workspace).performance
    assert performance.coverage is None and performance.metric is not None


def test_young_cases_of_which_only_early_labels_are_known_do_not_count(
    churn_bundle: Bundle, churn: UseCase, churn_rows: Tables, store: PredictionStore, workspace: Workspace
) -> None:
    rows = churn_rows[1]
    serve(store, churn_bundle, rows, NOW - timedelta(days=3), rows["churn"])
    performance = check(churn_bundle, store, acted_only(churn), workspace).performance
    assert (performance.labels, performance.metric, performance.decisions) == (0, None, [])


def synthetic(seed: int, *, drawn: int, by_outcome: bool) -> tuple[WeighedLabels, float]:
    """4,000 cases of which those acted on get a label: the weighed labels, and the Brier score of all cases.

    With `by_outcome` half of the positive cases that were left alone get a label, too.
    """
    random = np.random.default_rng(seed)
    probability = random.beta(1, 3, 4000)
    positive = random.random(4000) < probability
    score = np.clip(probability + random.normal(0, 0.1, 4000), 0, 1)
    acted = score > 0.4
    has_label = np.where(acted, random.random(4000) < 0.9, by_outcome & positive & (random.random(4000) < 0.5))
    selected_by = np.full(4000, None, dtype=object)
    chosen = random.choice(np.flatnonzero(~has_label), drawn, replace=False)
    has_label[chosen], selected_by[chosen] = True, "random"
    cases = pd.DataFrame(
        {
            "prediction_id": [str(row) for row in range(4000)],
            "event_at": pd.to_datetime([OLD] * 4000),
            "decision": np.where(acted, "act", "leave"),
            "score": score,
            "is_labelled": has_label,
            "selected_by": selected_by,
        }
    )
    labelled = cases.assign(label=positive)[has_label].reset_index(drop=True)
    labels_for = ["act"] if drawn else ALL
    return weigh_labels(cases, labelled, labels_for, NOW), float(((score - positive) ** 2).mean())


def errors_of(seeds: int, *, drawn: int, by_outcome: bool) -> tuple[list[float], list[float], list[bool]]:
    """Errors of the weighed and of the plain Brier score, and whether the interval held the truth."""
    weighed, plain, held = [], [], []
    for seed in range(seeds):
        found, truth = synthetic(seed, drawn=drawn, by_outcome=by_outcome)
        statistic = binary(found.labelled["label"].to_numpy(), found.labelled["score"].to_numpy())["brier"]
        low, high = found.weights.interval(statistic, 0.95, 200, seed)
        weighed.append(found.weights.value(statistic) - truth)
        plain.append(float(statistic(np.ones((1, len(found.labelled))))[0]) - truth)
        held.append(low <= truth <= high)
    return weighed, plain, held


@pytest.mark.parametrize("by_outcome", [False, True], ids=["nothing by itself", "by outcome"])
def test_draws_correct_whatever_the_other_labels_depend_on(by_outcome: bool) -> None:
    weighed, plain, held = errors_of(40, drawn=200, by_outcome=by_outcome)
    assert abs(np.mean(weighed)) < 0.004
    assert abs(np.mean(plain)) > 0.04
    assert sum(held) >= 34


def test_weights_of_a_group_add_up_to_its_cases() -> None:
    found, _ = synthetic(0, drawn=200, by_outcome=False)
    share = found.weights.each / found.weights.each.sum()
    by_decision = pd.Series(share).groupby(found.labelled["decision"]).sum()
    cases = {each.decision: each.cases / 4000 for each in found.coverage.decisions}
    assert by_decision.to_dict() == pytest.approx(cases)
    assert found.weights.effective < len(found.labelled)
