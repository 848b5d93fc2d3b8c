"""Fitted models: the same scores before and after storing, sound ones for odd rows, nothing unsafe in the files."""

import io
import json
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from model_cases import Case, changed
from sklearn.metrics import roc_auc_score

from noria.models.candidates import KINDS, default_params, known_params
from noria.models.fitted_model import FittedModel, fit
from noria.models.model_storage import MODEL, TRUSTED, dump_model, load_model
from noria.models.preparation import Preparation
from noria.schema import InputSchema
from tests.errors_raised import raises

SMALL = {"forest": {"n_estimators": 20}, "xgboost": {"n_estimators": 30}}


def quick(kind: str, case: Case) -> FittedModel:
    return fit(kind, {**default_params(kind, case.use_case), **SMALL.get(kind, {})}, case.train, case.use_case)


def stored(fitted: FittedModel, files: dict[str, bytes] | None = None) -> FittedModel:
    return load_model(
        dump_model(fitted) if files is None else files,
        kind=fitted.kind,
        params=fitted.params,
        schema=fitted.schema,
        task=fitted.task,
        classes=fitted.classes,
    )


def odd_rows(case: Case) -> pd.DataFrame:
    """Test rows with a tenth of all values missing and unseen categories here and there."""
    random = np.random.default_rng(7)
    rows = case.test.drop(columns=case.use_case.data.target).head(1000).copy()
    for name in rows.columns:
        rows[name] = rows[name].mask(random.random(len(rows)) < 0.1)
        if not pd.api.types.is_numeric_dtype(rows[name]) and name != case.use_case.data.time:
            rows.loc[rows.index[random.random(len(rows)) < 0.05], name] = "never seen"
    return rows


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["churn", "contracts", "bike"])
def test_scores_are_the_same_after_storing(kind: str, name: str, request: pytest.FixtureRequest) -> None:
    case: Case = request.getfixturevalue(name)
    fitted, rows = quick(kind, case), odd_rows(case)
    scores = fitted.scores(rows)
    again = stored(fitted)
    assert scores.shape == ((len(rows), 3) if name == "contracts" else (len(rows),))
    assert np.isfinite(scores).all()
    assert np.array_equal(again.scores(rows), scores)
    assert dump_model(again).keys() == dump_model(fitted).keys()
    if name != "bike":
        assert ((scores >= 0) & (scores <= 1)).all()
    if name == "contracts":
        assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)
    # a row alone scores as it does among others
    alone = np.concatenate([again.scores(rows.iloc[[i]]) for i in range(20)])
    assert np.allclose(alone, scores[:20], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["tree", "forest", "xgboost"])
def test_many_rows_are_scored_in_blocks_of_equal_results(kind: str, churn: Case) -> None:
    fitted = quick(kind, churn)
    many = pd.concat([churn.test] * 15, ignore_index=True)
    assert np.array_equal(fitted.scores(many), np.tile(fitted.scores(churn.test), 15))


@pytest.mark.parametrize("kind", ["tree", "forest"])
def test_trees_score_as_scikit_learn_does(kind: str, churn: Case, bike: Case) -> None:
    for case in (churn, bike):
        fitted = quick(kind, case)
        matrix = fitted.schema.encode(case.test)
        pipeline = fitted.pipeline
        expected = pipeline.predict(matrix) if case is bike else pipeline.predict_proba(matrix)[:, 1]
        assert np.allclose(fitted.scores(case.test), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_fitting_twice_gives_the_same_model(kind: str, churn: Case) -> None:
    one, other = quick(kind, churn), quick(kind, churn)
    assert np.array_equal(one.scores(churn.test), other.scores(churn.test))


@pytest.mark.parametrize(("kind", "least"), [("linear", 0.83), ("forest", 0.83), ("xgboost", 0.83), ("tree", 0.8)])
def test_models_find_the_leavers(kind: str, least: float, churn: Case) -> None:
    fitted = fit(kind, default_params(kind, churn.use_case), churn.train, churn.use_case)
    assert fitted.classes == ["No", "Yes"]
    assert roc_auc_score(churn.test["churn"] == "Yes", fitted.scores(churn.test)) >= least


def test_a_positive_class_that_sorts_first_is_still_the_second(churn: Case) -> None:
    use_case = changed(churn.use_case, problem={"positive": "No"})
    fitted = fit("linear", default_params("linear", use_case), churn.train, use_case)
    assert fitted.classes == ["Yes", "No"]
    assert roc_auc_score(churn.test["churn"] == "No", fitted.scores(churn.test)) > 0.8


def test_integer_and_boolean_targets_work(churn: Case) -> None:
    for positive, target in ((1, churn.train["churn"].eq("Yes").astype(int)), (True, churn.train["churn"].eq("Yes"))):
        use_case = changed(
            churn.use_case,
            problem={"positive": positive},
            rules={"conditions": [], "otherwise": not positive if positive is True else 0},
        )
        fitted = fit("tree", {"max_depth": 3}, churn.train.assign(churn=target), use_case)
        assert fitted.classes[1] == str(positive)
        assert roc_auc_score(churn.test["churn"] == "Yes", fitted.scores(churn.test)) > 0.8


def test_only_listed_types_are_trusted(churn: Case, contracts: Case, bike: Case) -> None:
    found: set[str] = set()
    for case in (churn, contracts, bike):
        for kind in KINDS:
            for name, content in dump_model(quick(kind, case)).items():
                if name.endswith(".skops"):
                    found |= set(skops.io.get_untrusted_types(data=content))
    assert found == set(TRUSTED)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('it ran')",)


def test_a_pickle_or_a_strange_type_is_refused_and_never_run(churn: Case) -> None:
    fitted = quick("tree", churn)
    with raises("models.file_unreadable"):
        stored(fitted, {MODEL: pickle.dumps(Bomb())})
    import operator

    with raises("models.type_untrusted"):
        stored(fitted, {MODEL: skops.io.dumps(operator.methodcaller("clear"))})
    with raises("models.file_missing"):
        stored(fitted, {})
    with raises("models.file_unreadable"):
        stored(fitted, {MODEL: dump_model(fitted)[MODEL][:-200]})


def test_a_forged_tree_is_refused(churn: Case) -> None:
    fitted = quick("tree", churn)
    content = dump_model(fitted)[MODEL]
    forged = io.BytesIO()
    hit = 0
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(forged, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".npy"):
                array = np.load(io.BytesIO(data), allow_pickle=False)
                if array.dtype.names and "left_child" in array.dtype.names:
                    array["left_child"][0], hit = 0, hit + 1
                    buffer = io.BytesIO()
                    np.save(buffer, array)
                    data = buffer.getvalue()
            new.writestr(name, data)
    assert hit == 1
    with raises("models.tree_broken"):
        stored(fitted, {MODEL: forged.getvalue()})


def test_a_condition_in_stored_rules_is_checked_again(churn: Case) -> None:
    fitted = quick("rules", churn)
    raw = json.loads(dump_model(fitted)["rules.json"])
    raw["answers"][0]["when"] = "__import__('os').system('x') == 0"
    with raises("rules.expression_not_allowed"):
        stored(fitted, {"rules.json": json.dumps(raw).encode()})


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("linear", {"C": -1.0}),
        ("linear", {"solver": "magic"}),
        ("tree", {"max_depth": "deep"}),
        ("forest", {"n_estimators": 0}),
        ("xgboost", {"max_depth": "deep"}),
        ("xgboost", {"n_estimators": "many"}),
        ("xgboost", {"learning_rate": -3}),
    ],
)
def test_a_wrong_parameter_value_names_its_candidate(kind: str, params: dict[str, object], churn: Case) -> None:
    with raises("models.fit_failed") as caught:
        fit(kind, params, churn.train, churn.use_case)
    assert caught.value.where == f"models.candidates.{kind}"


@pytest.mark.parametrize(
    ("kind", "name", "fix"),
    [
        ("xgboost", "n_estimater", "did you mean `n_estimators`"),
        ("xgboost", "objective", "the parameters are"),
        ("forest", "n_jobs", "Noria sets it"),
        ("dummy", "alpha", "strategy"),
    ],
)
def test_an_unknown_parameter_is_explained(kind: str, name: str, fix: str, churn: Case) -> None:
    for key in ("params", "search"):
        value = 1 if key == "params" else {"low": 1, "high": 2}
        use_case = changed(churn.use_case, models={"candidates": {kind: {key: {name: value}}}})
        with raises("models.parameter_unknown", f"`{name}`") as caught:
            default_params(kind, use_case)
        assert fix in caught.value.fix


def test_parameters_set_by_hand_reach_the_model(churn: Case) -> None:
    assert {"n_estimators", "max_depth", "learning_rate"} <= set(known_params("xgboost", "binary"))
    assert len(quick("forest", churn).pipeline[-1].estimators_) == 20
    assert quick("xgboost", churn).booster.num_boosted_rounds() == 30


def prepared_names(preparation: Preparation, schema: InputSchema) -> list[str]:
    """The q columns that come out of a fitted preparation, such as `tenure` and `contract=One year`."""
    encoded = schema.encoded_names
    numbers = [encoded[place] for place in preparation.numbers]
    categories = [column for column in schema.columns if column.kind == "category"]
    if preparation.style == "codes":
        return numbers + [column.name for column in categories]
    marks = [f"{numbers[place]} missing" for place in getattr(preparation, "marked_", [])]
    return numbers + marks + [f"{c.name}={value}" for c in categories for value in [*c.categories, "(missing)"]]


def test_linear_preparation_imputes_marks_scales_and_encodes(churn: Case) -> None:
    fitted = quick("linear", churn)
    prepared = pd.DataFrame(
        fitted.pipeline[0].transform(fitted.schema.encode(churn.train)),
        columns=prepared_names(fitted.pipeline[0], fitted.schema),
    )
    assert np.isfinite(prepared.to_numpy()).all()
    assert np.allclose(prepared["tenure"].mean(), 0)
    assert np.allclose(prepared["tenure"].std(ddof=0), 1)
    missing = churn.train["total_charges"].isna()
    assert (prepared["total_charges missing"] == missing).all()
    assert prepared.loc[missing, "total_charges"].nunique() == 1
    assert (prepared["contract=One year"] == (churn.train["contract"] == "One year")).all()
    unseen = fitted.pipeline[0].transform(fitted.schema.encode(churn.test.head(1).assign(contract="X")))
    names = prepared_names(fitted.pipeline[0], fitted.schema)
    assert not any(unseen[0, i] for i, name in enumerate(names) if name.startswith("contract="))


def test_outliers_are_clipped_to_the_training_quantiles(churn: Case) -> None:
    use_case = changed(churn.use_case, features={"clip_quantile": 0.05})
    fitted = fit("linear", default_params("linear", use_case), churn.train, use_case)
    at_quantile = churn.test.head(1).assign(monthly_charges=churn.train["monthly_charges"].quantile(0.95))
    assert fitted.scores(at_quantile.assign(monthly_charges=1e9)) == pytest.approx(fitted.scores(at_quantile))


def test_no_rows_give_no_scores(churn: Case, contracts: Case) -> None:
    assert quick("xgboost", churn).scores(churn.test.head(0)).shape == (0,)
    assert quick("forest", contracts).scores(contracts.test.head(0)).shape == (0, 3)


def test_training_without_rows_or_with_one_class_is_an_error(churn: Case) -> None:
    with raises("training.rows_missing"):
        fit("tree", {}, churn.train.head(0), churn.use_case)
    with raises("training.classes_missing"):
        fit("tree", {}, churn.train[churn.train["churn"] == "No"], churn.use_case)
