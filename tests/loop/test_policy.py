"""Which evidence leads to which action, by which rule."""

from pathlib import Path
from typing import Any

import pytest
from scenes import evidence, gain, journal, verdict

from noria.config.loop import LoopActions, LoopConfig, RetrainingBudget, RolloutRoute
from noria.loop import Decision, Evidence, ExpectedGain, choose, evidence_of
from noria.monitoring.causes import Cause

PRICED = LoopConfig(price=100)


def planned(total: float, *, pays: bool) -> ExpectedGain:
    """A gain whose best moment was planned."""
    return gain(total, low=-total).model_copy(update={"pays": pays})


@pytest.mark.parametrize(
    ("known", "config", "action", "rule"),
    [
        (evidence("ok"), LoopConfig(), "nothing", "verdict"),
        (evidence("watch"), LoopConfig(), "alert", "verdict"),
        (evidence("ok", confident=False, overdue=40), LoopConfig(), "ask_for_labels", "labels_missing"),
        (evidence("ok", confident=False, unknown_quality="one"), LoopConfig(), "ask_for_labels", "labels_partial"),
        (evidence(unknown_quality="one"), PRICED, "ask_for_labels", "labels_partial"),
        (evidence("watch", unknown_quality="one"), LoopConfig(), "alert", "verdict"),
        (evidence(), LoopConfig(), "retrain", "gain"),
        (evidence(gain=gain(101)), PRICED, "retrain", "gain"),
        (evidence(gain=gain(99)), PRICED, "alert", "gain"),
        (evidence(), PRICED, "ask_for_labels", "gain_unknown"),
        (evidence("ok", gain=gain(300)), PRICED, "retrain", "gain"),
        (evidence("ok", gain=gain(300, low=90)), PRICED, "nothing", "verdict"),
        (evidence("ok", gain=planned(300, pays=True)), PRICED, "retrain", "gain"),
        (evidence("ok", gain=planned(900, pays=False)), PRICED, "nothing", "verdict"),
        (evidence(gain=planned(900, pays=False)), PRICED, "alert", "gain"),
        (evidence("ok", gain=gain(300)), LoopConfig(), "nothing", "verdict"),
        (evidence(new_data=False), LoopConfig(), "alert", "new_data"),
        (evidence(rested_days=2), LoopConfig(cooldown_days=3), "nothing", "cooldown"),
        (evidence(rested_days=4), LoopConfig(cooldown_days=3), "retrain", "gain"),
        (evidence(retrainings=2), LoopConfig(budget=RetrainingBudget(retrainings=2)), "alert", "budget"),
        (evidence(), LoopConfig(actions=LoopActions(retrain="never")), "nothing", "allowed"),
        (evidence("fix_data"), LoopConfig(), "alert", "data_fault"),
        (evidence(causes={"feed_stopped": "no rows"}), LoopConfig(), "alert", "data_fault"),
        (
            evidence("watch", causes={"worse_than_rules": "by 5"}),
            LoopConfig(),
            "fall_back_to_rules",
            "worse_than_rules",
        ),
        (evidence(causes={"worse_than_rules": "by 5"}, is_rules=True), LoopConfig(), "retrain", "gain"),
        (evidence("ok", rules_won="no model beats them"), LoopConfig(), "fall_back_to_rules", "worse_than_rules"),
        (evidence("watch", worse_than_previous="600 and 900"), LoopConfig(), "roll_back", "worse_than_previous"),
        (evidence("ok", waiting="2"), LoopConfig(), "introduce", "waiting_version"),
        (evidence(waiting="2", causes={"data_fault": "a unit"}), LoopConfig(), "alert", "data_fault"),
        (evidence(fruitless=["no"], new_data=False, rested_days=90), LoopConfig(), "alert", "fruitless"),
        (evidence(fruitless=["no"], rested_days=3), LoopConfig(cooldown_days=2), "alert", "fruitless"),
        (evidence(fruitless=["no"], rested_days=5), LoopConfig(cooldown_days=2), "retrain", "gain"),
    ],
)
def test_evidence_leads_to_one_action_by_one_rule(known: Evidence, config: LoopConfig, action: str, rule: str) -> None:
    decision = choose(known, config)
    assert (decision.action, decision.why[-1].rule) == (action, rule)
    assert [each.decides for each in decision.why] == [False] * (len(decision.why) - 1) + [True]
    assert all(each.text for each in decision.why)


def test_what_changes_the_service_is_only_proposed_unless_the_use_case_says_otherwise() -> None:
    def modes(config: LoopConfig) -> list[str]:
        changing = ({"waiting": "2"}, {"worse_than_previous": "x"}, {"causes": {"worse_than_rules": "by 5"}})
        return [choose(evidence("watch", **more), config).mode for more in changing]

    assert modes(LoopConfig()) == ["propose"] * 3
    all_of_it = dict.fromkeys(("shadow", "canary", "promote", "roll_back", "fall_back_to_rules"), "do")
    assert modes(LoopConfig(actions=LoopActions(**all_of_it))) == ["do"] * 3
    assert choose(evidence(), LoopConfig()).mode == "do"


@pytest.mark.parametrize(
    ("route", "command"),
    [
        ({}, "python run.py traffic --shadow 2"),
        ({"shadow_hours": 0}, "python run.py traffic --canary 2"),
        ({"shadow_hours": 0, "canary": False}, "python run.py promote --version 2"),
    ],
)
def test_a_proposal_names_the_command_of_the_first_step_on_the_route(route: dict[str, Any], command: str) -> None:
    assert choose(evidence(waiting="2"), LoopConfig(route=RolloutRoute(**route))).command == command


def test_after_a_retraining_in_vain_the_advice_is_another_one() -> None:
    first = choose(evidence(moved=["tenure"]), LoopConfig())
    tried = evidence(moved=["tenure"], overdue=12, fruitless=["version 2 lost"], rested_days=0.1)
    again = choose(tried, LoopConfig())
    assert (first.action, again.action) == ("retrain", "alert")
    assert "version 2 lost" in again.reason and "did not help" in again.reason
    assert "tenure" in again.advice and "12 overdue labels" in again.advice


def test_a_price_is_compared_with_the_expected_gain_and_both_are_told() -> None:
    def figures(decision: Decision) -> str:
        return decision.reason

    assert all(part in figures(choose(evidence(gain=gain(80)), PRICED)) for part in ("80", "100", "not more"))
    assert "so it was measured" in figures(choose(evidence(gain=gain(180)), PRICED))


def test_what_is_only_proposed_keeps_no_model_from_being_trained() -> None:
    worse = evidence(causes={"worse_than_rules": "by 5"})
    decision = choose(worse, LoopConfig())
    assert (decision.action, decision.also.action, decision.also.mode) == ("retrain", "fall_back_to_rules", "propose")
    assert "worse_than_rules" in [each.rule for each in decision.why]
    by_itself = LoopConfig(actions=LoopActions(fall_back_to_rules="do"))
    assert (choose(worse, by_itself).action, choose(worse, by_itself).also) == ("fall_back_to_rules", None)


def test_what_is_only_proposed_keeps_no_version_from_its_way_into_service() -> None:
    worse = evidence(worse_than_previous="600 and 900", waiting="2", new_data=False)
    decision = choose(worse, LoopConfig(actions=LoopActions(shadow="do")))
    assert (decision.action, decision.mode, decision.also.action) == ("introduce", "do", "roll_back")
    assert [each.decides for each in decision.why] == [False] * (len(decision.why) - 1) + [True]
    assert choose(worse, LoopConfig(actions=LoopActions(roll_back="do"))).action == "roll_back"


def test_only_a_fault_that_must_be_mended_keeps_a_model_from_being_trained(tmp_path: Path) -> None:
    def decided(severity: str) -> str:
        fault = Cause.model_validate({"kind": "data_fault", "severity": severity, "sentence": "A day has no rows."})
        gathered = evidence_of(verdict(causes=[fault]), journal(tmp_path), LoopConfig(), new_data=True)
        return choose(gathered, LoopConfig()).action

    assert (decided("watch"), decided("fix_data")) == ("retrain", "alert")


def test_a_finding_that_is_only_worth_knowing_decides_nothing(tmp_path: Path) -> None:
    def decided(*severities: str) -> str:
        found = [
            Cause.model_validate({"kind": "worse_than_rules", "severity": each, "sentence": f"{each} it is"})
            for each in severities
        ]
        judged = verdict("watch", causes=found)
        gathered = evidence_of(judged, journal(tmp_path), LoopConfig())
        return choose(gathered, LoopConfig()).reason

    assert "rules" not in decided("ok")
    assert "watch it is" in decided("watch", "ok")
