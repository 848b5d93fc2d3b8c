"""New orders made of old ones."""

from typing import Any

import pytest
from plans import PLAN, plan, state, variant
from pydantic import ValidationError

from noria.models.decision_policy import DecisionPolicy
from noria.traffic import plan_transforms
from noria.traffic.activation import TrafficPlan
from tests.errors_raised import raises


def shares(of: TrafficPlan) -> dict[str, float]:
    return {each.name: each.share for each in of.variants}


def test_the_champion_takes_what_the_others_leave() -> None:
    assert shares(plan_transforms.with_shares(plan(0.1), {"challenger": 0.3})) == {"champion": 0.7, "challenger": 0.3}
    assert shares(plan_transforms.with_shares(plan(0.1), {"challenger": 0.2, "champion": 0.8})) == {
        "champion": 0.8,
        "challenger": 0.2,
    }


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"stranger": 0.1}, ("traffic.variant_unknown", "`stranger`")),
        ({"challenger": 1.2}, ("traffic.share_invalid", "1.2")),
        ({"challenger": -0.1}, ("traffic.share_invalid", "-0.1")),
        ({"challenger": 0.3, "champion": 0.5}, ("traffic.shares_sum_invalid", "0.8")),
    ],
)
def test_shares_that_cannot_be(wanted: dict[str, float], told: tuple[str, ...]) -> None:
    with raises(*told):
        plan_transforms.with_shares(plan(0.1), wanted)


def test_without_a_share_a_challenger_is_out() -> None:
    assert shares(plan_transforms.drop_unused(plan_transforms.with_shares(plan(0.1), {"challenger": 0}))) == {
        "champion": 1.0
    }


def test_a_shadow_answers_nobody() -> None:
    made = plan_transforms.with_shadow(plan(0.3), "challenger")
    assert made.champion.share == 1.0
    assert [(each.share, each.shadow) for each in made.variants[1:]] == [(0.0, True)]
    with raises("traffic.variant_unknown", "`champion`"):
        plan_transforms.with_shadow(made, "champion")


def test_a_share_makes_a_shadow_answer() -> None:
    made = plan_transforms.with_shares(plan_transforms.with_shadow(plan(0.3), "challenger"), {"challenger": 0.2})
    assert [(each.name, each.share, each.shadow) for each in made.variants] == [
        ("champion", 0.8, False),
        ("challenger", 0.2, False),
    ]


def test_a_canary_begins_at_its_first_step_and_another_one_has_to_wait() -> None:
    base = TrafficPlan(
        variants=[variant("champion", 0.8), variant("challenger", 0.0, "2"), variant("rules", 0.2, "1r")]
    )
    made = plan_transforms.with_canary(base, state())
    assert shares(made) == {"champion": 0.75, "challenger": 0.05, "rules": 0.2}
    other = state().model_copy(update={"variant": "rules"})
    with raises("traffic.canary_under_way"):
        plan_transforms.with_canary(made, other)


def test_a_canary_that_would_need_more_than_the_champion_has() -> None:
    base = TrafficPlan(
        variants=[variant("champion", 0.4), variant("challenger", 0.0, "2"), variant("rules", 0.6, "1r")]
    )
    with raises("traffic.canary_share_missing", 0.4):
        plan_transforms.with_canary(base, state(plan=PLAN))


def test_a_share_set_by_hand_ends_the_canary() -> None:
    made = plan_transforms.with_canary(plan(0.1), state())
    assert made.canary is not None
    assert plan_transforms.with_shares(made, {"challenger": 0.2}).canary is None


def test_a_promoted_challenger_takes_the_champions_name_and_its_own_share_and_keeps_its_policy() -> None:
    policy = DecisionPolicy(threshold=0.4)
    base = plan_transforms.with_policy(plan_transforms.with_canary(plan(0.1), state()), "challenger", policy, "2")
    made = plan_transforms.with_champion(base, variant("champion", 1.0, "2"))
    assert shares(made) == {"champion": 1.0}
    assert (made.champion.version, made.champion.policy, made.champion.policy_version) == ("2", policy, "2")
    assert made.canary is None


def test_others_keep_their_share_when_another_version_is_promoted() -> None:
    base = TrafficPlan(
        variants=[variant("champion", 0.7), variant("challenger", 0.2, "2"), variant("rules", 0.1, "1r")]
    )
    made = plan_transforms.with_champion(base, variant("champion", 1.0, "7"))
    assert shares(made) == {"champion": 0.7, "challenger": 0.2, "rules": 0.1}
    assert made.champion.version == "7"


def test_a_policy_changes_one_variant_alone() -> None:
    made = plan_transforms.with_policy(plan(0.1), "challenger", DecisionPolicy(threshold=0.2), "2")
    assert [(each.policy is None, each.policy_version) for each in made.variants] == [(True, "1"), (False, "2")]
    with raises("traffic.variant_unknown", "`nobody`"):
        plan_transforms.with_policy(made, "nobody", DecisionPolicy(), "2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"variants": []},
        {"variants": [variant("a", 0.5), variant("a", 0.5)]},
        {"variants": [variant("a", 0.5), variant("b", 0.4)]},
        {"variants": [variant("a", 0.5), variant("b", 0.5, shadow=True)]},
        {"variants": [variant("a", 1.0)], "canary": state()},
    ],
    ids=["nobody", "one name twice", "too little", "a shadow with a share", "a canary that is not there"],
)
def test_an_order_that_does_not_hold_together_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrafficPlan(**wrong)
