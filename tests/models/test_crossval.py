"""Cross-validation: nothing leaks from validation rows, every row is scored by a model that had not seen it."""

import numpy as np
import pandas as pd
import pytest
from model_cases import Case, changed
from sklearn.metrics import mean_absolute_error, roc_auc_score

from noria.models.candidate_score import CandidateScore
from noria.models.candidates import KINDS, default_params
from noria.models.cross_validation import cross_validate
from noria.models.folds import Folds
from noria.models.model_storage import dump_model

FAST = {"forest": {"n_estimators": 10}, "xgboost": {"n_estimators": 20}}


def quick_params(kind: str, case: Case) -> dict[str, object]:
    return {**default_params(kind, case.use_case), **FAST.get(kind, {})}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_fitted_does_not_depend_on_validation_rows(kind: str, churn: Case) -> None:
    """The validation rows of a fold become absurd; the fold's schema, preparation and model stay as they were."""
    # otherwise the folds follow the inputs, which keep copies together
    use_case = changed(churn.use_case, split={"copies": "free"})
    before = next(iter(Folds(churn.train, use_case)))
    changed_train = churn.train.copy()
    inside = changed_train.index[before.places]
    changed_train.loc[inside, "monthly_charges"] = 1e9
    changed_train.loc[inside, "tenure"] = -500
    changed_train.loc[inside, "total_charges"] = np.nan
    changed_train.loc[inside, "contract"] = "only in validation"
    after = next(iter(Folds(changed_train, use_case)))
    assert (after.places == before.places).all()
    one = before.fit(kind, quick_params(kind, churn)).fitted
    refit = after.fit(kind, quick_params(kind, churn))
    other, scores = refit.fitted, refit.scores
    assert one.schema == other.schema
    assert other.schema.columns != []
    assert "only in validation" not in other.schema.model_dump_json()
    probe = churn.test.head(300)
    assert np.array_equal(one.scores(probe), other.scores(probe))
    if kind == "rules":
        assert dump_model(one) == dump_model(other)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("kind", ["tree", "xgboost"])
def test_random_labels_cannot_be_predicted(kind: str, churn: Case) -> None:
    """A model that sees its own rows would score near 1 here."""
    labels = churn.train["churn"].sample(frac=1, random_state=5).to_numpy()
    params = {"tree": {"max_depth": None, "min_samples_leaf": 1}, "xgboost": {"n_estimators": 50}}[kind]
    score, oof = cross_validate(kind, params, churn.train.assign(churn=labels), churn.use_case)
    assert abs(score.mean - 0.5) < 0.05
    assert abs(roc_auc_score(labels == "Yes", oof) - 0.5) < 0.05


def test_every_row_gets_a_score_and_the_mean_is_that_of_the_folds(churn: Case) -> None:
    heard: list[tuple[int, float]] = []
    score, oof = cross_validate(
        "linear", default_params("linear", churn.use_case), churn.train, churn.use_case, lambda *at: heard.append(at)
    )
    assert np.isfinite(oof).all()
    assert len(score.fold_scores) == churn.use_case.models.folds
    assert score.mean == pytest.approx(np.mean(score.fold_scores))
    assert score.standard_error == pytest.approx(np.std(score.fold_scores, ddof=1) / np.sqrt(5))
    assert score.mean == pytest.approx(roc_auc_score(churn.train["churn"] == "Yes", oof), abs=0.005)
    assert score.mean > 0.835
    assert [number for number, _ in heard] == [0, 1, 2, 3, 4]
    assert heard[-1][1] == pytest.approx(score.mean)
    assert score.latency_ms > 0
    assert score.size_mb > 0
    assert CandidateScore.model_validate_json(score.model_dump_json()) == score


def test_time_folds_never_look_ahead(bike: Case) -> None:
    folds = Folds(bike.train, bike.use_case)
    for fold in folds:
        fitted_until = fold.rows.checked.frame["dteday"].max()
        assert fitted_until < bike.train["dteday"].iloc[fold.places].min()
    score, oof = cross_validate("linear", {"alpha": 1.0}, bike.train, bike.use_case, folds=folds)
    seen = ~np.isnan(oof)
    assert 0 < seen.sum() < len(oof)
    assert not seen[0]
    assert mean_absolute_error(bike.train["cnt"][seen], oof[seen]) == pytest.approx(score.mean, rel=0.05)


def test_several_classes_have_a_column_each(contracts: Case) -> None:
    score, oof = cross_validate("tree", {"max_depth": 4}, contracts.train, contracts.use_case)
    assert oof.shape == (len(contracts.train), 3)
    classes = sorted(contracts.train["contract"].unique())
    right = np.array(classes)[oof.argmax(axis=1)] == contracts.train["contract"]
    assert right.mean() == pytest.approx(score.mean, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fold_may_lack_a_class(kind: str, contracts: Case) -> None:
    from noria.models.folds import Fold
    from noria.models.training_rows import read_training_rows

    classes = sorted(contracts.train["contract"].unique())
    some = contracts.train[contracts.train["contract"] != "One year"]
    rows = read_training_rows(some, contracts.use_case, classes=classes)
    valid = rows.schema.check(contracts.test)
    fold = Fold(rows, valid, np.arange(len(contracts.test)), np.zeros(len(contracts.test)), contracts.use_case)
    scores = fold.fit(kind, quick_params(kind, contracts)).scores
    assert scores.shape == (len(contracts.test), 3)
    assert (scores.argmax(axis=1) != 1).all()


@pytest.mark.parametrize("metric", ["average_precision", "log_loss", "brier", "worth"])
def test_every_metric_can_be_the_primary_one(metric: str, churn: Case) -> None:
    use_case = changed(churn.use_case, evaluation={"metric": metric})
    linear, _ = cross_validate("linear", {"C": 1.0}, churn.train, use_case)
    dummy, _ = cross_validate("dummy", {}, churn.train, use_case)
    better = linear.mean - dummy.mean
    assert linear.metric == metric
    assert better < 0 if metric in {"log_loss", "brier"} else better > 0


def test_large_tables_are_not_kept_but_score_the_same(churn: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, _ = cross_validate("tree", {"max_depth": 3}, churn.train, churn.use_case)
    monkeypatch.setattr("noria.models.folds._MOST_CELLS", 10)
    folds = Folds(churn.train, churn.use_case)
    fresh, _ = cross_validate("tree", {"max_depth": 3}, churn.train, churn.use_case, folds=folds)
    assert next(iter(folds)) is not next(iter(folds))
    assert fresh.fold_scores == kept.fold_scores


def test_groups_stay_together(churn: Case) -> None:
    use_case = changed(churn.use_case, split={"method": "group", "group": "household", "seed": 1})
    train = churn.train.assign(household=[f"h{i // 3}" for i in range(len(churn.train))])
    score, oof = cross_validate("tree", {"max_depth": 3}, train, use_case)
    assert np.isfinite(oof).all()
    assert score.mean > 0.75
    for fold in Folds(train, use_case):
        inside = set(train["household"].iloc[fold.places])
        outside = set(train["household"].drop(train.index[fold.places]))
        assert not inside & outside
    assert isinstance(train, pd.DataFrame)
