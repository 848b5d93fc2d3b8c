"""Selection: what is chosen and the reason that a person reads."""

from model_cases import Case, changed

from noria.config import UseCase
from noria.models.candidate_score import CandidateScore
from noria.training.selection import select
from tests.errors_raised import raises


def score(kind: str, mean: float, error: float = 0.003, *, latency: float = 1.0, size: float = 0.1) -> CandidateScore:
    return CandidateScore(
        kind=kind,
        params={"max_depth": 4} if kind == "tree" else {},
        metric="roc_auc",
        mean=mean,
        standard_error=error,
        fold_scores=[mean],
        latency_ms=latency,
        size_mb=size,
        fit_seconds=0.1,
    )


def use_case(churn: Case, **problem: object) -> UseCase:
    return changed(churn.use_case, problem=problem)


FIELD = [score("rules", 0.80), score("dummy", 0.5), score("tree", 0.828), score("forest", 0.846)]


def why(selection: object, kind: str) -> str:
    return next(row.why for row in selection.table if row.kind == kind)  # type: ignore[attr-defined]


def test_the_readable_one_within_a_standard_error_is_preferred(churn: Case) -> None:
    field = [*FIELD, score("linear", 0.845), score("xgboost", 0.847)]
    chosen = select(field, use_case(churn, readable="preferred"))
    assert chosen.kind == "linear"
    assert "most readable" in chosen.reason
    assert "xgboost (roc_auc 0.847 ± 0.003)" in chosen.reason
    assert "standard error" in why(chosen, "xgboost")
    assert [row.kind for row in chosen.table if row.chosen] == ["linear"]
    assert chosen.table[0].kind == "xgboost"


def test_outside_a_standard_error_the_best_wins(churn: Case) -> None:
    field = [*FIELD, score("linear", 0.843), score("xgboost", 0.847)]
    chosen = select(field, use_case(churn, readable="preferred"))
    assert chosen.kind == "xgboost"  # and not the forest, which nobody can read either
    assert "no readable candidate" in chosen.reason


def test_the_best_wins_where_readability_is_unimportant(churn: Case) -> None:
    field = [*FIELD, score("linear", 0.845), score("xgboost", 0.847)]
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
