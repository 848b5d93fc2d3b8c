"""Selection: what is chosen and the reason that a person reads."""

from collections.abc import Sequence

from model_cases import Case, changed

from noria.config import UseCase
from noria.models.candidate_score import CandidateScore
from noria.training.selection import select
from tests.errors_raised import raises


def score(
    kind: str,
    mean: float,
    folds: Sequence[float] = (-0.006, 0.002, 0.0, 0.004, 0.0),
    *,
    worth: float = 0.0,
    latency: float = 1.0,
    size: float = 0.1,
) -> CandidateScore:
    """A candidate whose folds lie this far from its mean."""
    return CandidateScore(
        kind=kind,
        params={"max_depth": 4} if kind == "tree" else {},
        metric="roc_auc",
        mean=mean,
        standard_error=0.003,
        fold_scores=[mean + fold for fold in folds],
        worth=worth,
        latency_ms=latency,
        size_mb=size,
        fit_seconds=0.1,
    )


def use_case(churn: Case, **problem: object) -> UseCase:
    return changed(churn.use_case, problem=problem)


FIELD = [score("rules", 0.80), score("dummy", 0.5), score("tree", 0.828), score("forest", 0.846)]


def why(selection: object, kind: str) -> str:
    return next(row.why for row in selection.table if row.kind == kind)  # type: ignore[attr-defined]


UNEVEN = (-0.004, 0.004, -0.002, 0.001, 0.001)


def test_the_readable_one_is_preferred_where_the_lead_may_be_chance(churn: Case) -> None:
    field = [*FIELD, score("linear", 0.8465, UNEVEN, worth=26_500), score("xgboost", 0.847, worth=26_800)]
    chosen = select(field, use_case(churn, readable="preferred"))
    assert (chosen.kind, chosen.best) == ("linear", "xgboost")
    assert "xgboost (roc_auc 0.847 ± 0.003)" in chosen.reason
    assert "300 EUR per 1,000 customers" in chosen.reason  # what it costs, in money
    assert "1.1" in chosen.reason  # and of what the best gains
    assert "0.0005" in why(chosen, "xgboost")
    assert [row.kind for row in chosen.table if row.chosen] == ["linear"]
    assert chosen.table[0].kind == "xgboost"


def test_folds_that_are_hard_for_all_do_not_hide_who_is_better(churn: Case) -> None:
    """Each candidate's own standard error is 0.05; on every fold the best leads by about 0.005."""
    hard = (-0.15, 0.05, 0.0, 0.1, 0.0)
    field = [*FIELD, score("linear", 0.842, [each + 0.0005 for each in hard]), score("xgboost", 0.847, hard)]
    field = [each.model_copy(update={"standard_error": 0.05}) for each in field]
    chosen = select(field, use_case(churn, readable="preferred"))
    assert (chosen.kind, chosen.best) == ("xgboost", "xgboost")
    assert "linear" in chosen.reason
    assert "worse than xgboost" in why(chosen, "linear")


def test_readability_never_costs_more_than_its_price(churn: Case) -> None:
    """By the folds the lead may be chance, yet it is a tenth of what learning brings."""
    apart = (-0.2, 0.1, 0.0, 0.1, 0.0)
    field = [*FIELD, score("linear", 0.81, apart, worth=26_800), score("xgboost", 0.847, worth=26_800)]
    chosen = select(field, use_case(churn))
    assert chosen.kind == "xgboost"
    assert "models.readability_price" in why(chosen, "linear")
    dearer = changed(churn.use_case, models={"readability_price": 0.2})
    assert select(field, dearer).kind == "linear"


def test_readability_never_costs_more_than_its_price_in_worth(churn: Case) -> None:
    field = [*FIELD, score("linear", 0.8465, UNEVEN, worth=20_000), score("xgboost", 0.847, worth=26_800)]
    chosen = select(field, use_case(churn))
    assert chosen.kind == "xgboost"
    assert "in worth" in chosen.reason


def test_mined_rules_compete_as_one_more_small_model(churn: Case) -> None:
    field = [
        score("rules", 0.8467, UNEVEN),
        score("dummy", 0.5),
        score("linear", 0.8465, UNEVEN),
        score("xgboost", 0.847),
    ]
    mined = changed(churn.use_case, rules={"source": "mined"})
    assert (select(field, churn.use_case).kind, select(field, mined).kind) == ("linear", "rules")
    nothing = [score("rules", 0.49), score("dummy", 0.5), score("tree", 0.4)]
    assert (select(nothing, churn.use_case).kind, select(nothing, mined).kind) == ("rules", "dummy")


def test_the_best_wins_where_readability_is_unimportant(churn: Case) -> None:
    field = [*FIELD, score("linear", 0.8465, UNEVEN), score("xgboost", 0.847)]
    assert select(field, use_case(churn, readable="unimportant")).kind == "xgboost"


def test_required_readability_drops_the_others(churn: Case) -> None:
    deep = score("tree", 0.9).model_copy(update={"params": {"max_depth": 12}})
    field = [*FIELD[:2], deep, score("linear", 0.843), score("xgboost", 0.88)]
    chosen = select(field, use_case(churn, readable="required"))
    assert chosen.kind == "linear"
    assert "required" in why(chosen, "xgboost")
    assert "required" in why(chosen, "tree")


def test_budgets_are_kept_and_named(churn: Case) -> None:
    field = [*FIELD, score("linear", 0.82), score("xgboost", 0.9, latency=120.5)]
    field[3] = score("forest", 0.9, size=51.2)
    chosen = select(field, use_case(churn))
    assert chosen.kind == "tree"
    assert why(chosen, "xgboost") == "takes 120.5 ms for one row, over the budget of 100 ms"
    assert why(chosen, "forest") == "weighs 51.2 MB, over the budget of 50 MB"


def test_less_is_better_for_errors(bike: Case) -> None:
    field = [score("dummy", 110), score("linear", 68), score("xgboost", 40)]
    assert select(field, bike.use_case).kind == "xgboost"


def test_the_dummy_is_chosen_only_if_nothing_beats_it(churn: Case) -> None:
    worse = [score("dummy", 0.5), score("tree", 0.49), score("linear", 0.5)]
    chosen = select(worse, use_case(churn))
    assert chosen.kind == "dummy"
    assert "no other candidate" in chosen.reason
    assert select([*worse, score("forest", 0.51)], use_case(churn)).kind == "forest"


def test_the_rules_stand_in_when_no_model_beats_the_dummy(churn: Case) -> None:
    assert select([score("rules", 0.8), score("dummy", 0.5), score("tree", 0.4)], use_case(churn)).kind == "rules"
    assert select([score("rules", 0.9), score("dummy", 0.5), score("tree", 0.8)], use_case(churn)).kind == "tree"


def test_no_candidate_within_the_budgets_is_an_error(churn: Case) -> None:
    with raises("training.no_candidate_left", "forest", "500.0 ms"):
        select([score("forest", 0.9, latency=500)], use_case(churn))
