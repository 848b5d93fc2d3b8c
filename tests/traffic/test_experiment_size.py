"""What `traffic` says about the labels that an experiment will take."""

import re
from pathlib import Path

import pytest
from plans import state

from app.serving.experiment_size import experiment_facts
from noria.traffic.activation import PlannedVariant, TrafficPlan
from tests import bundles


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.make(bundles.churn(), "linear", tmp_path_factory.mktemp("size") / "bundle").folder


def shared(folder: Path, share: float, *, shadow: bool = False) -> TrafficPlan:
    champion = PlannedVariant(name="champion", bundle=folder, version="1", share=1 - share)
    challenger = PlannedVariant(name="challenger", bundle=folder, version="2", share=share, shadow=shadow)
    return TrafficPlan(variants=[champion, challenger])


def wanted(plan: TrafficPlan) -> int:
    facts = experiment_facts(bundles.churn().use_case, plan)
    assert [name for name, _ in facts] == ["labels for challenger"]
    found = re.match(r"about ([\d,]+) of both tell a difference of 0.02 in roc_auc", str(facts[0][1]))
    assert found is not None
    return int(found[1].replace(",", ""))


def test_an_uneven_experiment_takes_more_labels(folder: Path) -> None:
    assert 10_000 < wanted(shared(folder, 0.5)) < wanted(shared(folder, 0.1)) < 500_000


def test_a_canary_is_planned_at_the_share_it_grows_to(folder: Path) -> None:
    canary = shared(folder, 0.05).model_copy(update={"canary": state()})
    assert wanted(canary) == wanted(shared(folder, 0.5))


def test_without_a_challenger_that_answers_nothing_is_said(folder: Path) -> None:
    use_case = bundles.churn().use_case
    assert experiment_facts(use_case, TrafficPlan.of(folder, "1")) == []
    assert experiment_facts(use_case, shared(folder, 0.0, shadow=True)) == []
    assert experiment_facts(use_case, shared(folder / "missing", 0.5)) == []
