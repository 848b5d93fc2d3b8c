"""Several variants behind one address: who answers whom, and changes while clients go on asking."""

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from noria import deployment as processes
from noria.bundle import Bundle
from noria.client import Client
from noria.config.serving import CanaryConfig
from noria.deployment import VariantSpec, service_status, wait_until_stored
from noria.deployment.server_process import wait_ready
from noria.models.decision_policy import DecisionPolicy
from noria.traffic import plan_transforms
from noria.traffic.activation import CanaryState
from tests.errors_raised import raises
from tests.load import Load
from tests.spool.spooled import eventually
from tests.traffic.conftest import Service

pytestmark = pytest.mark.e2e

_PATIENCE_S = 90.0


def kept(service: Service, since: datetime, **wanted: Any) -> pd.DataFrame:
    """What the store holds since then, once everything has arrived."""
    assert wait_until_stored(service.workspace)
    store = service.store()
    try:
        return store.window(since, **wanted)
    finally:
        store.close()


def test_each_case_gets_one_variant_and_shares_are_kept(service: Service, client: Client) -> None:
    service.answer_with(service.spec("challenger", 0.3))
    first = client.predict(service.rows[:1000])
    again = [client.predict(service.rows[start : start + 7]) for start in range(0, 994, 7)]
    variants = [answer.variant for answer in first]
    assert [answer.variant for answers in again for answer in answers] == variants[:994]
    # five standard errors of a share of 0.3 among 1,000 cases
    assert abs(variants.count("challenger") / 1000 - 0.3) < 5 * (0.3 * 0.7 / 1000) ** 0.5
    assert {(answer.variant, answer.version) for answer in first} == {("champion", "1"), ("challenger", "2")}


def test_each_variant_answers_as_its_bundle_does(service: Service, client: Client) -> None:
    service.answer_with(service.spec("nonsense", 0.5))
    answers = client.predict(service.rows[:100])
    for name, version in (("champion", "1"), ("nonsense", "3")):
        mine = [place for place, answer in enumerate(answers) if answer.version == version]
        assert mine
        expected = service.bundles[name].predict(pd.DataFrame([service.rows[place] for place in mine]))
        assert [answers[place].probability for place in mine] == pytest.approx(expected["probability"], abs=1e-6)


def test_a_shadow_is_recorded_and_answers_nobody(service: Service, client: Client) -> None:
    service.answer_with(service.spec("challenger", shadow=True))
    began = datetime.now(UTC)
    answers = client.predict(service.rows[:50])
    assert {answer.variant for answer in answers} == {"champion"}
    client.feedback([{"id": answers[0].id, "label": "Yes"}])
    assert len(kept(service, began)) == 50
    found = pd.DataFrame()

    def arrived() -> bool:
        nonlocal found
        found = kept(service, began, shadows=True)
        return len(found) == 100

    assert eventually(arrived, _PATIENCE_S), "the shadow's predictions did not arrive"
    shadows = found[found["variant"] == "challenger"].set_index("entity")
    expected = service.bundles["challenger"].predict(pd.DataFrame(service.rows[:50]))["probability"]
    assert shadows.loc[[f"c{n}" for n in range(50)], "probability"].tolist() == pytest.approx(list(expected), abs=1e-6)
    assert shadows.loc["c0", "label"] == "Yes", "the true label reaches the shadow, too"


def test_no_request_fails_while_shares_policies_and_the_champion_change(service: Service) -> None:
    began = datetime.now(UTC)
    challenger = service.spec("challenger").variant(service.workspace)
    with Load(service.deployment.url, service.rows[:60]) as load:
        load.wait_for(20)
        half = processes.change_plan(
            service.use_case,
            service.workspace,
            lambda plan: plan_transforms.with_shares(
                plan_transforms.with_variant(plan, challenger), {"challenger": 0.5}
            ),
        )
        load.wait_for(60)
        processes.change_plan(
            service.use_case,
            service.workspace,
            lambda plan: plan_transforms.with_policy(plan, "champion", DecisionPolicy(threshold=0.0), "2"),
        )
        load.wait_for(60)
        promoted = processes.change_plan(
            service.use_case,
            service.workspace,
            lambda plan: plan_transforms.drop_unused(plan_transforms.with_champion(plan, challenger)),
        )
        promoted_at = time.monotonic()
        load.wait_for(60)
        with_challenger = load.asked_since(promoted_at)
        processes.change_plan(
            service.use_case, service.workspace, lambda _: plan_transforms.renew(half.before), is_rollback=True
        )
        back_at = time.monotonic()
        load.wait_for(60)
    assert load.failures == []
    assert [each.name for each in promoted.after.variants] == ["champion"]
    assert {answer.version for answer in with_challenger} == {"2"}
    assert {answer.version for answer in load.asked_since(back_at)} == {"1"}
    found = kept(service, began).set_index("prediction_id")["version"].to_dict()
    assert found == {each.answer.id: each.answer.version for each in load.answers}


def test_a_policy_holds_from_the_change_on_and_is_kept_with_each_prediction(service: Service, client: Client) -> None:
    rows = service.rows[:40]
    assert len({answer.decision for answer in client.predict(rows)}) > 1
    processes.change_plan(
        service.use_case,
        service.workspace,
        lambda plan: plan_transforms.with_policy(plan, "champion", DecisionPolicy(threshold=0.0), "2"),
    )
    answers = client.predict(rows)
    assert {answer.decision for answer in answers} == {"act"}
    assert wait_until_stored(service.workspace)
    assert policies(service, [answer.id for answer in answers]) == {"2"}


def policies(service: Service, ids: list[str]) -> set[str]:
    from sqlalchemy import select

    from noria.predictions.sql_tables import predictions

    store = service.store()
    with store._engine.connect() as connection:
        found = connection.execute(select(predictions.c.policy).where(predictions.c.id.in_(ids))).scalars()
        return set(found)


def test_a_challenger_that_cannot_answer_is_not_let_in(service: Service, client: Client) -> None:
    before = service.plan
    other = Bundle(service.bundles["challenger"].manifest, service.bundles["challenger"].folder)
    vars(other)["fitted"] = service.bundles["nonsense"].fitted
    with raises("deployment.smoke_test_failed"):
        service.answer_with(VariantSpec(other, "challenger", 0.2))
    assert service.plan.variants == before.variants
    assert {answer.variant for answer in client.predict(service.rows[:50])} == {"champion"}


def canary(service: Service, name: str, **plan: Any) -> None:
    """Begin a canary with short steps."""
    whole = {"steps": [0.3, 0.6], "step_minutes": 0.02, "min_requests": 30, "max_latency_ratio": 1000} | plan
    state = CanaryState(
        variant=name,
        plan=CanaryConfig(**whole),
        problem=service.use_case.problem,
        metric=service.use_case.evaluation.metric,
    )
    newcomer = service.spec(name).variant(service.workspace)
    processes.change_plan(
        service.use_case,
        service.workspace,
        lambda plan: plan_transforms.with_canary(plan_transforms.with_variant(plan, newcomer), state),
    )


def test_a_good_canary_grows_by_itself_until_it_is_ready(service: Service) -> None:
    canary(service, "challenger")
    with Load(service.deployment.url, service.rows[:300]) as load:
        seen = set()

        def ready() -> bool:
            plan = service.plan
            seen.add(plan.variants[1].share)
            return plan.canary is not None and plan.canary.ready

        assert eventually(ready, _PATIENCE_S), f"it did not grow: {service.plan}"
    assert load.failures == []
    assert seen == {0.3, 0.6}
    shares = {each.variant.name: each.answers for each in service_status(service.workspace).variants}
    assert shares["challenger"] > 30


def test_a_bad_canary_is_taken_back_by_itself_and_nobody_notices(service: Service, client: Client) -> None:
    canary(service, "nonsense", step_minutes=60, min_labels=100)
    with Load(service.deployment.url, service.rows[1000:1060]) as load:
        for start in range(0, 900, 100):
            answers = client.predict(service.rows[start : start + 100])
            labels = service.truth[start : start + 100]
            client.feedback([{"id": each.id, "label": label} for each, label in zip(answers, labels, strict=True)])
        assert eventually(lambda: service.plan.canary is None, _PATIENCE_S), "it was not taken back"
        wait_ready(service.workspace, service.deployment, timeout_s=_PATIENCE_S)  # until every worker knows
        known_at = time.monotonic()
        load.wait_for(40)
    assert load.failures == []
    assert [(each.name, each.share) for each in service.plan.variants] == [("champion", 1.0)]
    assert {answer.variant for answer in load.asked_since(known_at)} == {"champion"}
    assert "roll back: roc_auc" in last_event(service, since=datetime.now(UTC) - timedelta(minutes=10))


def last_event(service: Service, since: datetime) -> str:
    from sqlalchemy import select

    from noria.predictions.sql_tables import events

    store = service.store()
    with store._engine.connect() as connection:
        chosen = select(events.c.detail).where(events.c.kind == "canary", events.c.at >= since)
        return str(connection.execute(chosen.order_by(events.c.seq.desc()).limit(1)).scalar_one())


def test_a_container_takes_over_no_model_that_needs_the_training_libraries(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its image has none of them."""
    before, deployment = service.plan, service.deployment
    boxed = deployment.model_copy(update={"settings": deployment.settings.model_copy(update={"image": "noria:1"})})
    monkeypatch.setattr(sys.modules["noria.deployment.plan_change"], "running_server", lambda _: boxed)
    monkeypatch.setattr("noria.deployment.container_command.FAST", "what no bundle has")
    newcomer = service.spec("challenger").variant(service.workspace)
    with raises("bundle.fast_form_missing"):
        processes.change_plan(
            service.use_case, service.workspace, lambda plan: plan_transforms.with_variant(plan, newcomer)
        )
    assert service.plan == before
