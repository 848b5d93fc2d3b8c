"""Only what beats the champion and the rules by the margin and beyond chance is promoted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noria.bundle import Bundle
from noria.bundle.qualification import disqualification, require_qualified
from noria.evaluation.promotion_gate import gate
from tests.bundles import Case, bike, changed, churn, make
from tests.errors_raised import raises


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    folder = tmp_path_factory.mktemp("gate")
    bundles = {
        kind: make(churn(), kind, folder / kind, version=f"{kind}-1") for kind in ("rules", "dummy", "tree", "xgboost")
    }
    bundles["xgboost again"] = make(churn(), "xgboost", folder / "again", version="2")
    return bundles


def test_the_first_model_that_beats_the_rules_is_promoted(made: dict[str, Bundle]) -> None:
    verdict = gate(churn().use_case, churn().test, made["xgboost"], made["rules"])
    (versus,) = verdict.comparisons
    assert (verdict.promote, verdict.ml_needed, versus.beats) == ("challenger", True, True)
    assert versus.difference == pytest.approx(versus.challenger_value - versus.rival_value)
    assert 0 < versus.low < versus.difference < versus.high
    assert "Nothing is deployed yet" in verdict.reason


def test_the_same_model_again_is_not(made: dict[str, Bundle]) -> None:
    verdict = gate(churn().use_case, churn().test, made["xgboost again"], made["rules"], made["xgboost"])
    assert (verdict.promote, verdict.ml_needed) == ("none", True)
    assert verdict.comparisons[1].difference == 0
    assert "Version xgboost-1 stays" in verdict.reason


def test_a_better_model_takes_over_and_a_worse_one_does_not(made: dict[str, Bundle]) -> None:
    better = gate(churn().use_case, churn().test, made["xgboost"], made["rules"], made["tree"])
    worse = gate(churn().use_case, churn().test, made["tree"], made["rules"], made["xgboost"])
    assert (better.promote, worse.promote) == ("challenger", "none")
    assert better.comparisons[1].difference == pytest.approx(-worse.comparisons[1].difference)


def test_a_lead_below_the_margin_is_not_enough(made: dict[str, Bundle]) -> None:
    use_case = changed(churn().use_case, evaluation={"margin": 0.3})
    verdict = gate(use_case, churn().test, made["xgboost"], made["rules"])
    assert (verdict.promote, verdict.ml_needed, verdict.comparisons[0].beats) == ("rules", False, False)
    assert verdict.comparisons[0].low > 0
    assert "a lead of 0.300 was asked for" in verdict.reason
    assert "machine learning is not needed" in verdict.reason


def test_a_lead_that_may_be_chance_is_not_enough(made: dict[str, Bundle]) -> None:
    use_case = changed(churn().use_case, evaluation={"margin": 0.0})
    few = churn().test.sample(40, random_state=5)
    verdict = gate(use_case, few, made["xgboost"], made["tree"])
    versus = verdict.comparisons[0]
    assert versus.low <= 0 < versus.high
    assert not versus.beats


def test_rules_in_service_stay_and_are_not_promoted_again(made: dict[str, Bundle]) -> None:
    use_case = changed(churn().use_case, evaluation={"margin": 0.3})
    verdict = gate(use_case, churn().test, made["xgboost"], made["rules"], made["rules"])
    assert (verdict.promote, verdict.ml_needed) == ("none", False)
    assert "in service already" in verdict.reason


def test_a_champion_that_beats_the_rules_stays_when_the_challenger_does_not(made: dict[str, Bundle]) -> None:
    verdict = gate(churn().use_case, churn().test, made["dummy"], made["rules"], made["xgboost"])
    assert (verdict.promote, verdict.ml_needed) == ("none", True)
    assert "does beat them and stays" in verdict.reason


def test_rules_take_over_from_a_champion_that_does_not_beat_them(made: dict[str, Bundle]) -> None:
    verdict = gate(churn().use_case, churn().test, made["dummy"], made["rules"], made["dummy"])
    assert (verdict.promote, verdict.ml_needed) == ("rules", False)
    assert "The rules take over" in verdict.reason


def test_rules_that_were_rewritten_are_other_rules(made: dict[str, Bundle], tmp_path: Path) -> None:
    use_case = changed(churn().use_case, rules={"conditions": [{"when": "tenure <= 2", "then": "Yes"}]})
    old = make(Case(use_case, churn().train, churn().test), "rules", tmp_path / "old", version="old")
    verdict = gate(churn().use_case, churn().test, made["rules"], made["rules"], old)
    assert verdict.promote == "rules"
    assert "Nor does version old" in verdict.reason
    assert [comparison.rival for comparison in verdict.comparisons] == ["champion"]


def test_a_constant_that_beats_the_rules_shows_no_need_to_learn(made: dict[str, Bundle], tmp_path: Path) -> None:
    backwards = [{"when": "tenure > 40", "then": "Yes"}, {"when": "contract == 'Two year'", "then": "Yes"}]
    use_case = changed(churn().use_case, rules={"conditions": backwards}, evaluation={"metric": "worth"})
    bad = make(Case(use_case, churn().train, churn().test), "rules", tmp_path / "bad")
    verdict = gate(use_case, churn().test, made["dummy"], bad)
    assert (verdict.promote, verdict.ml_needed) == ("challenger", False)


def test_a_champion_that_cannot_read_the_rows_is_no_rival(made: dict[str, Bundle]) -> None:
    use_case = churn().use_case
    # a newer delivery has lost a column that the champion needs
    today = churn().test.drop(columns="total_charges")
    train = churn().train.drop(columns="total_charges")
    folder = made["rules"].folder.parent
    new = make(Case(use_case, train, today), "xgboost", folder / "new", version="3")
    rules = make(Case(use_case, train, today), "rules", folder / "new_rules", version="3")
    verdict = gate(use_case, today, new, rules, made["xgboost"])
    assert verdict.promote == "challenger"
    assert "cannot read today's rows" in verdict.reason
    assert "total_charges" in verdict.reason


def test_smaller_is_better_for_errors(tmp_path: Path) -> None:
    case = bike()
    model, rules = make(case, "xgboost", tmp_path / "model"), make(case, "rules", tmp_path / "rules")
    verdict = gate(case.use_case, case.test, model, rules)
    (versus,) = verdict.comparisons
    assert verdict.promote == "challenger"
    assert versus.difference == pytest.approx(versus.rival_value - versus.challenger_value)
    assert versus.difference > 2


MINED = changed(churn().use_case, rules={"source": "mined"})


def test_mined_rules_keep_no_model_out(made: dict[str, Bundle]) -> None:
    """They are as good as the model here; but nobody decides by them."""
    verdict = gate(MINED, churn().test, made["tree"], made["tree"])
    (versus,) = verdict.comparisons
    assert (verdict.promote, verdict.ml_needed, versus.rival) == ("challenger", True, "nothing")
    assert versus.rival_value == 0.5
    assert "beats a constant answer" in verdict.reason
    assert "your own rules" not in verdict.reason
    still = gate(churn().use_case, churn().test, made["tree"], made["tree"])
    assert (still.promote, still.ml_needed) == ("rules", False)


def test_where_there_is_nothing_to_learn_nothing_is_promoted(tmp_path: Path) -> None:
    lots = np.random.default_rng(2)
    train, test = (part.assign(churn=lots.choice(["Yes", "No"], len(part))) for part in (churn().train, churn().test))
    case = Case(MINED, train, test)
    verdict = gate(MINED, test, make(case, "xgboost", tmp_path / "model"), make(case, "rules", tmp_path / "rules"))
    assert (verdict.promote, verdict.comparisons[0].beats) == ("none", False)
    assert "machine learning is not needed" not in verdict.reason


def test_with_mined_rules_the_champion_is_what_counts(made: dict[str, Bundle]) -> None:
    worse = gate(MINED, churn().test, made["tree"], made["rules"], made["xgboost"])
    better = gate(MINED, churn().test, made["xgboost"], made["rules"], made["tree"])
    assert (worse.promote, better.promote) == ("none", "challenger")
    assert [comparison.rival for comparison in worse.comparisons] == ["champion"]
    assert "Version xgboost-1 stays" in worse.reason


def test_the_best_takes_over_where_readability_would_cost_too_much(made: dict[str, Bundle]) -> None:
    """Selection took a constant for its readability; on the test rows it loses, so the best one is promoted."""
    verdict = gate(churn().use_case, churn().test, made["dummy"], made["rules"], best=made["xgboost"])
    assert (verdict.promote, verdict.candidate, verdict.ml_needed) == ("challenger", "xgboost", True)
    both_pass = gate(MINED, churn().test, made["tree"], made["rules"], best=made["xgboost"])
    assert (both_pass.promote, both_pass.candidate) == ("challenger", "xgboost")
    lead = both_pass.comparisons[-1]
    assert (lead.rival, lead.rival_kind, lead.beats) == ("readable", "tree", True)
    assert lead.difference > lead.margin > 0


def test_the_readable_one_stays_where_it_costs_less_than_its_price(made: dict[str, Bundle]) -> None:
    use_case = changed(MINED, models={"readability_price": 0.2})
    verdict = gate(use_case, churn().test, made["tree"], made["rules"], best=made["xgboost"])
    assert (verdict.promote, verdict.candidate) == ("challenger", "tree")


def test_two_tries_are_held_to_more_than_one(made: dict[str, Bundle]) -> None:
    one = gate(churn().use_case, churn().test, made["tree"], made["rules"]).comparisons[0]
    two = gate(churn().use_case, churn().test, made["tree"], made["rules"], best=made["xgboost"]).comparisons[0]
    assert (one.confidence, two.confidence) == (0.95, pytest.approx(0.975))
    assert one.difference == two.difference
    assert two.low < one.low < one.high < two.high


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"data": {"unavailable_at_prediction": ["total_charges"]}}, ["total_charges", "unavailable_at_prediction"]),
        ({"features": {"exclude": ["tenure"]}, "rules": {"conditions": []}}, ["tenure", "features.exclude"]),
        ({"split": {"method": "group", "group": "payment_method"}, "rules": {"conditions": []}}, ["payment_method"]),
        ({"problem": {"positive": "No"}, "rules": {"otherwise": "Yes"}}, ["problem.positive"]),
        (
            {
                "problem": {
                    "worth": {"true_positive": 9, "false_positive": -1, "false_negative": -2, "true_negative": 0}
                }
            },
            ["problem.worth", "true_positive"],
        ),
    ],
    ids=["leak", "excluded", "split", "positive", "worth"],
)
def test_a_champion_of_another_question_is_disqualified_by_name(
    made: dict[str, Bundle], sections: dict[str, Any], named: list[str], tmp_path: Path
) -> None:
    use_case = changed(churn().use_case, **sections)
    today = Case(use_case, churn().train, churn().test)
    model, rules = make(today, "tree", tmp_path / "model", version="8"), make(today, "rules", tmp_path / "rules")
    verdict = gate(use_case, churn().test, model, rules, made["xgboost"])
    assert all(comparison.rival != "champion" for comparison in verdict.comparisons)
    assert verdict.promote == "challenger"
    for text in (verdict.reason, verdict.disqualified):
        assert "Version xgboost-1 is disqualified" in text
        assert all(name in text for name in named)
    with raises("deployment.version_disqualified", "xgboost-1", *named):
        require_qualified(made["xgboost"], use_case)
    assert disqualification(model, use_case) == ""
    assert disqualification(made["xgboost"], churn().use_case) == ""


def test_rules_are_disqualified_only_by_columns_that_they_use(made: dict[str, Bundle]) -> None:
    unused = changed(churn().use_case, data={"unavailable_at_prediction": ["total_charges"]})
    used = changed(churn().use_case, data={"unavailable_at_prediction": ["tenure"]})
    assert disqualification(made["rules"], unused) == ""
    assert "`tenure`" in disqualification(made["rules"], used)


def test_rows_that_one_side_cannot_answer_are_left_out_for_both(made: dict[str, Bundle]) -> None:
    spoilt = churn().test.astype({"online_backup": object}).copy()
    spoilt.loc[spoilt.index[:5], "online_backup"] = spoilt.index[:5].map(lambda _: [1])
    verdict = gate(churn().use_case, spoilt, made["xgboost"], made["rules"])
    assert np.isfinite(verdict.comparisons[0].difference)
