"""Tuning: it starts from the defaults, repeats itself, stops when told, and never does worse than trial 0."""

import numpy as np
import pytest
from listening import listen
from model_cases import Case, changed

from noria.models.candidates import KINDS, default_params, search_space
from noria.system.errors import NoriaError
from noria.training.results import TrialRecord
from noria.training.tuning import tune


def few(case: Case, kind: str, **models: object) -> Case:
    keys = {"trials": 6, "folds": 3, "candidates": {kind: {}}, **models}
    return case._replace(use_case=changed(case.use_case, models=keys))


def test_the_first_trial_is_the_default_and_the_best_is_returned(churn: Case) -> None:
    case, heard = few(churn, "tree"), []
    tuned = tune("tree", case.train, case.use_case, heard.append)
    assert tuned.trials == heard
    assert [trial.number for trial in heard] == list(range(6))
    assert heard[0].params == default_params("tree", case.use_case)
    assert heard[0].state == "complete"
    assert tuned.score.mean == max(trial.value for trial in heard if trial.state == "complete")
    assert tuned.score.mean >= heard[0].value
    assert len({str(trial.params) for trial in heard}) > 1
    assert TrialRecord.model_validate_json(heard[0].model_dump_json()) == heard[0]
    assert np.isfinite(tuned.oof).all()


def test_less_is_better_for_errors(bike: Case) -> None:
    case = few(bike, "linear")
    tuned = tune("linear", case.train, case.use_case)
    assert tuned.score.mean == min(trial.value for trial in tuned.trials if trial.state == "complete")


def test_the_same_seed_gives_the_same_trials(churn: Case) -> None:
    case = few(churn, "linear", trials=4)
    one, other = (tune("linear", case.train, case.use_case) for _ in range(2))
    assert [t.params for t in one.trials] == [t.params for t in other.trials]
    assert np.array_equal(one.oof, other.oof)


def test_hopeless_trials_are_stopped_early(churn: Case) -> None:
    search = {"C": {"low": 1e-9, "high": 10, "log": True}}
    case = few(churn, "linear", trials=14, candidates={"linear": {"search": search}})
    told: list[str] = []
    listen(lambda kind, text: told.append(text) if kind == "tick" else None)
    tuned = tune("linear", case.train, case.use_case)
    pruned = [trial for trial in tuned.trials if trial.state == "pruned"]
    assert pruned
    assert len(told) == 14
    assert sum("stopped early" in text for text in told) == len(pruned)
    assert "trial 14 of 14" in told[-1]


def test_time_out_leaves_at_least_the_defaults(churn: Case) -> None:
    case = few(churn, "linear", trials=500, timeout_s=0.001)
    tuned = tune("linear", case.train, case.use_case)
    assert len(tuned.trials) == 1
    assert tuned.score.params == default_params("linear", case.use_case)


@pytest.mark.parametrize("models", [{"trials": 0}, {"candidates": {"tree": {"tune": False}}}])
def test_without_tuning_there_is_one_trial(churn: Case, models: dict[str, object]) -> None:
    case = few(churn, "tree", **models)
    assert len(tune("tree", case.train, case.use_case).trials) == 1


@pytest.mark.parametrize("kind", ["rules", "dummy"])
def test_what_has_nothing_to_tune_is_scored_once(churn: Case, kind: str) -> None:
    case = few(churn, "dummy")
    assert len(tune(kind, case.train, case.use_case).trials) == 1


def test_what_is_set_by_hand_is_not_tuned(churn: Case) -> None:
    candidates = {"tree": {"params": {"max_depth": 3}}}
    case = few(churn, "tree", candidates=candidates)
    assert set(search_space("tree", case.use_case)) == {"min_samples_leaf"}
    tuned = tune("tree", case.train, case.use_case)
    assert {trial.params["max_depth"] for trial in tuned.trials} == {3}


def test_own_search_spaces_are_obeyed(churn: Case) -> None:
    search = {
        "max_depth": {"low": 2, "high": 3, "integer": True},
        "criterion": {"choices": ["gini", "entropy"]},
        "min_impurity_decrease": {"low": 0.0, "high": 0.01},
    }
    case = few(churn, "tree", candidates={"tree": {"search": search}})
    tuned = tune("tree", case.train, case.use_case)
    assert tuned.trials[0].params["max_depth"] == 3  # the default of 4 is moved into the range
    for trial in tuned.trials:
        assert trial.params["max_depth"] in {2, 3}
        assert trial.params["criterion"] in {"gini", "entropy"}
        assert 0 <= trial.params["min_impurity_decrease"] <= 0.01


def test_a_search_over_an_unknown_parameter_is_an_error(churn: Case) -> None:
    case = few(churn, "tree", candidates={"tree": {"search": {"max_dept": {"low": 1, "high": 2}}}})
    with pytest.raises(NoriaError) as caught:
        tune("tree", case.train, case.use_case)
    assert "did you mean `max_depth`" in caught.value.fix


def test_built_in_search_spaces_hold_known_parameters(churn: Case, bike: Case, contracts: Case) -> None:
    from noria.models.candidates import known_params

    for case in (churn, bike, contracts):
        for kind in KINDS:
            use_case = changed(case.use_case, models={"candidates": {kind: {}} if kind != "rules" else {"dummy": {}}})
            names = set(default_params(kind, use_case)) | set(search_space(kind, use_case))
            assert names <= set(known_params(kind, use_case.problem.task))


@pytest.mark.parametrize("name", ["contracts", "bike"])
def test_xgboost_is_tuned_for_other_tasks(name: str, request: pytest.FixtureRequest) -> None:
    case = few(
        request.getfixturevalue(name), "xgboost", trials=2, candidates={"xgboost": {"params": {"n_estimators": 20}}}
    )
    tuned = tune("xgboost", case.train, case.use_case)
    assert len(tuned.trials) == 2
    assert {trial.params["n_estimators"] for trial in tuned.trials} == {20}
