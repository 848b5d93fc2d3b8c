"""When a canary grows, waits, is ready, and is taken back."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plans import NOW, PLAN, PROBLEM, facts, plan, state
from predicted import prediction_event

from noria.predictions import PredictionStore
from noria.predictions.records import VariantStatistics
from noria.predictions.spool.events import AuditEvent, PredictionEvent
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT
from noria.traffic import activation, plan_transforms
from noria.traffic.activation import TrafficPlan
from noria.traffic.canary import CanaryDecision, next_step, run_canary
from noria.traffic.canary_metrics import MetricGap, compare_labels
from noria.traffic.case_gains import planned_labels
from tests.errors_raised import raises

WORSE = MetricGap(metric="roc_auc", challenger=0.7, champion=0.8, worse_by=0.1, beyond_chance=True)
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "too early": ({"minutes": 4}, {}, "hold", "4.0 of 10 minutes"),
    "too few answers": ({"minutes": 60}, {"answers": 99}, "hold", "99 of 100 answers"),
    "well": ({"minutes": 11}, {}, "grow", "to 0.25"),
    "well at the last step": ({"minutes": 11, "step": 2}, {}, "done", "ready to be promoted"),
    "ready": ({"minutes": 500, "step": 2, "ready": True}, {}, "hold", "can be promoted"),
    "errors": ({"minutes": 1}, {"errors": 11}, "roll back", "11 of 1,011 failed"),
    "errors within the bound": ({"minutes": 1}, {"errors": 10}, "hold", "minutes"),
    "errors before enough was asked": ({}, {"answers": 3, "errors": 2}, "roll back", "2 of 5 failed"),
    "one error of few": ({}, {"answers": 3, "errors": 1}, "hold", "3 of 100"),
    "slow": ({"minutes": 1}, {"ms": 2.1}, "roll back", "more than 2 times the champion's 1.00 ms"),
    "slower within the bound": ({"minutes": 11}, {"ms": 1.9}, "grow", "95 % within 1.90 ms"),
    "slow when ready": ({"minutes": 11, "step": 2, "ready": True}, {"ms": 3.0}, "roll back", "3.00 ms"),
    "slow, but hardly asked": ({"minutes": 1}, {"answers": 10, "ms": 9.0}, "hold", "10 of 100"),
}


@pytest.mark.parametrize(("at", "did", "action", "why"), CASES.values(), ids=CASES.keys())
def test_what_is_due(at: dict[str, Any], did: dict[str, Any], action: str, why: str) -> None:
    decision = next_step(state(**at), facts("challenger", **did), facts("champion"), None, NOW)
    assert decision.action == action
    assert why in decision.why


def test_worse_beyond_chance_is_taken_back_and_bad_luck_is_not() -> None:
    def decided(gap: MetricGap) -> CanaryDecision:
        return next_step(state(minutes=11), facts("challenger"), facts("champion"), gap, NOW)

    taken_back = decided(WORSE)
    assert taken_back.action == "roll back"
    assert "roc_auc 0.7000 against 0.8000" in taken_back.why
    assert decided(WORSE.model_copy(update={"beyond_chance": False})).action == "grow"
    assert decided(WORSE.model_copy(update={"worse_by": 0.02})).action == "grow"


def test_labels_tell_a_bad_challenger_from_one_as_good() -> None:
    good = facts("champion", labels=2000)
    bad = compare_labels(PROBLEM, "roc_auc", facts("challenger", labels=2000, skill=0.5), good, at_least=50)
    assert bad is not None
    assert bad.worse_by > 0.1
    assert bad.beyond_chance
    same = compare_labels(PROBLEM, "roc_auc", facts("challenger", labels=2000), good, at_least=50)
    assert same is not None
    assert abs(same.worse_by) < 0.05
    assert not same.beyond_chance


def test_the_state_says_who_leads_and_how_long_it_takes() -> None:
    good, better = facts("champion", labels=1500), facts("challenger", labels=1500, skill=2.2)
    early = compare_labels(PROBLEM, "roc_auc", better, good, at_least=50)
    assert early is not None
    assert not early.better_beyond_chance
    assert early.more_labels is not None and early.more_labels > 100
    assert "leads by" in early.state and "more labels" in early.state
    best = compare_labels(PROBLEM, "roc_auc", facts("challenger", labels=1500, skill=4), good, at_least=50)
    assert best is not None
    assert best.better_beyond_chance
    assert best.state == "decided: the challenger is better"


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "log_loss", "worth"])
def test_a_hundred_looks_at_two_equal_variants_do_not_take_one_back(metric: str) -> None:
    taken_back = 0
    for stream in range(20):
        random = np.random.default_rng(stream)
        whole = [facts("x", labels=0), facts("y", labels=0)]
        for each in whole:
            leaves = random.random(1000) < 0.4
            scores = 1 / (1 + np.exp(-(random.normal(size=1000) + 2 * (leaves - 0.5))))
            each.labels[:] = ["Yes" if one else "No" for one in leaves]
            each.probabilities[:] = scores.tolist()
            each.predictions[:] = each.labels
        looks = [[first(each, n) for each in whole] for n in range(100, 1001, 100)]
        gaps = [compare_labels(PROBLEM, metric, *look, at_least=50) for look in looks]
        taken_back += any(gap is not None and gap.beyond_chance for gap in gaps)
    assert taken_back <= 1


def first(whole: VariantStatistics, labels: int) -> VariantStatistics:
    return VariantStatistics(
        whole.variant,
        whole.answers,
        whole.errors,
        whole.latencies_ms,
        whole.labels[:labels],
        whole.predictions[:labels],
        whole.probabilities[:labels],
        [NOW + timedelta(minutes=place) for place in range(labels)],
    )


@pytest.mark.parametrize("metric", ["roc_auc", "brier"])
def test_the_labels_that_a_difference_takes_are_known_in_advance(metric: str) -> None:
    known = facts("champion", labels=3000)
    few, many = (planned_labels(PROBLEM, metric, known, difference, 0.5) for difference in (0.1, 0.02))
    assert few is not None and many is not None
    assert 20 < many / few < 30
    rare = planned_labels(PROBLEM, metric, known, 0.1, 0.05)
    assert rare is not None and rare > 4 * few
    assert planned_labels(PROBLEM, "average_precision", known, 0.1, 0.5) is None
    assert planned_labels(PROBLEM, metric, facts("champion"), 0.1, 0.5) is None


def test_a_metric_that_should_be_small_is_worse_when_it_is_large() -> None:
    good, bad = facts("champion", labels=1000), facts("challenger", labels=1000, skill=-2)
    gap = compare_labels(PROBLEM, "log_loss", bad, good, at_least=50)
    assert gap is not None
    assert gap.challenger > gap.champion
    assert gap.worse_by == pytest.approx(gap.challenger - gap.champion)
    worth = compare_labels(PROBLEM, "worth", bad, good, at_least=50)
    assert worth is not None
    assert worth.challenger < worth.champion


def test_too_few_labels_say_nothing() -> None:
    assert compare_labels(PROBLEM, "roc_auc", facts("challenger", labels=49), facts("champion", labels=500), 50) is None
    one_class = facts("challenger", labels=60)
    one_class.labels[:] = ["No"] * 60
    assert compare_labels(PROBLEM, "roc_auc", one_class, facts("champion", labels=500), 50) is None


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = PredictionStore(f"sqlite:///{tmp_path / 'predictions.db'}")
    yield opened
    opened.close()


@pytest.fixture
def service(tmp_path: Path) -> Path:
    activation.write_plan(tmp_path, plan_transforms.with_canary(plan(0.1), state(minutes=11)))
    return tmp_path


def answered(store: PredictionStore, variant: str, number: int, ms: float = 1.0) -> None:
    """That many answers of one variant, a minute before NOW."""
    before = NOW - timedelta(minutes=1)
    store.ingest([event_at(variant, place, before, latency_ms=ms) for place in range(number)])


def current(folder: Path) -> TrafficPlan:
    found = activation.read_plan(folder)
    assert found is not None
    return found


def test_it_grows_by_what_the_store_holds(service: Path, store: PredictionStore) -> None:
    assert run_canary(service, store, NOW) == CanaryDecision(action="hold", why="0 of 100 answers that this step needs")
    for name in ("champion", "challenger"):
        answered(store, name, 150)
    decision = run_canary(service, store, NOW)
    assert decision is not None
    assert decision.action == "grow"
    grown = current(service)
    assert [each.share for each in grown.variants] == [0.75, 0.25]
    assert grown.canary is not None
    assert (grown.canary.step, grown.canary.since) == (1, NOW)
    held = run_canary(service, store, NOW)
    assert held is not None
    assert held.action == "hold", "the new step begins with nothing"


def test_errors_take_it_back_and_the_event_is_kept_once(service: Path, store: PredictionStore) -> None:
    answered(store, "challenger", 50)
    store.ingest(
        [AuditEvent("e", (NOW - timedelta(minutes=1)).timestamp(), "error", "challenger", "2", "ValueError", 30)]
    )
    before = current(service)
    decision = run_canary(service, store, NOW)
    assert decision is not None
    assert decision.action == "roll back"
    assert [(each.name, each.share) for each in current(service).variants] == [("champion", 1.0)]
    assert current(service).canary is None
    assert run_canary(service, store, NOW) is None
    activation.write_plan(service, before)  # as if this process had been killed before it gave the order
    assert run_canary(service, store, NOW) is not None
    assert events(store) == [("canary", "challenger", "2", f"roll back: {decision.why}")]


def test_a_change_by_hand_meanwhile_stands(service: Path, store: PredictionStore, monkeypatch: Any) -> None:
    for name in ("champion", "challenger"):
        answered(store, name, 150)
    judged = store.variant_statistics

    def meanwhile(*given: Any) -> Any:
        activation.write_plan(service, plan())
        return judged(*given)

    monkeypatch.setattr(store, "variant_statistics", meanwhile)
    assert run_canary(service, store, NOW) is None
    assert [each.name for each in current(service).variants] == ["champion"]
    assert events(store) == []


def test_without_the_store_it_stays_as_it_is(service: Path, store: PredictionStore, monkeypatch: Any) -> None:
    for name in ("champion", "challenger"):
        answered(store, name, 150)
    before = current(service)

    def broken(*_: Any) -> None:
        raise NoriaError("the prediction store does not work", code="predictions.store_failed")

    monkeypatch.setattr(store, "ingest", broken)
    with raises("predictions.store_failed"):
        run_canary(service, store, NOW)
    assert current(service) == before


def test_all_steps_lead_to_being_ready_and_never_beyond(service: Path, store: PredictionStore) -> None:
    now, seen = NOW, []
    for _ in range(6):
        shift = now - NOW
        for name in ("champion", "challenger"):
            moved = [event_at(name, place, NOW - timedelta(seconds=1) + shift) for place in range(120)]
            store.ingest(moved)
        decision = run_canary(service, store, now)
        assert decision is not None
        seen.append((decision.action, current(service).variants[1].share))
        now += timedelta(minutes=PLAN.step_minutes + 1)
    assert seen[:4] == [("grow", 0.25), ("grow", 0.5), ("done", 0.5), ("hold", 0.5)]
    found = current(service).canary
    assert found is not None
    assert found.ready


def event_at(variant: str, place: int, at: Any, **changes: object) -> PredictionEvent:
    name = f"{variant} {at} {place}"
    return prediction_event(at, request_id=name, version="2", variant=variant, **changes)


def events(store: PredictionStore) -> list[tuple[str, str, str, str]]:
    """Those of the canary, without those that a test has made."""
    from sqlalchemy import select

    from noria.predictions.sql_tables import events as table

    with store._engine.connect() as connection:
        rows = connection.execute(select(table).where(table.c.kind == "canary")).mappings().all()
    return [(row["kind"], row["variant"], row["version"], row["detail"]) for row in rows]


_JUDGE = """
import sys
from plans import PROBLEM, facts
from noria.predictions import variant_statistics
from noria.traffic.canary import run_canary
from noria.traffic.canary_metrics import compare_labels

for metric in ("roc_auc", "average_precision", "log_loss", "worth"):
    assert compare_labels(PROBLEM, metric, facts("challenger", labels=500), facts("champion", labels=500), 50)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_container_has_all_that_a_canary_is_judged_with() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _JUDGE],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    locked = (PROJECT / "requirements-serving.lock").read_text(encoding="utf-8")
    for library in ("scipy", "scikit-learn", "pandas", "xgboost"):
        assert f"\n{library}==" not in locked
    assert not {"scipy", "sklearn", "pandas", "xgboost"} & set(done.stdout.split())
