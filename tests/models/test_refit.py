"""After it was judged, the chosen recipe learns from all rows; what was judged stays as it was judged."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from bundles import ROOT, Case, bike, changed, churn

from noria.bundle import Bundle, MetricValue, revise_bundle
from noria.data.split import split
from noria.models.fitted_model import fit
from noria.training.leaderboard import fit_bundle, score_candidates
from noria.training.refit import refit_bundle
from tests.listening import listen

PROMISED = {"roc_auc": MetricValue(value=0.8, low=0.75, high=0.85)}
BOOSTER = {"xgboost": {"params": {"n_estimators": 40, "max_depth": 4, "learning_rate": 0.1}}}


class Fits(NamedTuple):
    case: Case
    judged: Bundle
    served: Bundle


def both(case: Case, kind: str, folder: Path) -> Fits:
    """The bundle that is judged, and the one that is served."""
    use_case, train, test = case
    leaderboard, out_of_fold = score_candidates(train, use_case)
    score = next(each for each in leaderboard.scores if each.kind == kind)
    fitted = fit_bundle(score, train, out_of_fold, use_case, fingerprint="0" * 64, version="7", folder=folder / "fit")
    judged = revise_bundle(fitted, folder / "judged", metrics=PROMISED, test_rows=len(test))
    served = refit_bundle(judged, train, test, use_case, out_of_fold=out_of_fold, folder=folder / "served")
    return Fits(case, judged, served)


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Fits:
    use_case = changed(churn().use_case, models={"candidates": BOOSTER, "trials": 0, "folds": 2})
    # only among the test rows is there a customer of 110 months
    test = churn().test.copy()
    test.loc[0, "tenure"] = 110
    return both(Case(use_case, churn().train, test), "xgboost", tmp_path_factory.mktemp("customers"))


def test_the_served_model_is_the_recipe_fitted_on_all_rows(customers: Fits) -> None:
    (use_case, train, test), judged, served = customers
    every = pd.concat([train, test], ignore_index=True)
    by_hand = fit("xgboost", judged.manifest.parameters, every, use_case)
    np.testing.assert_allclose(served.scores(test), by_hand.scores(test), atol=1e-12)
    assert not np.allclose(served.scores(test), judged.scores(test), atol=0.01)
    assert served.manifest.parameters == judged.manifest.parameters


def test_what_was_judged_stays_and_the_manifest_says_whose_figures_they_are(customers: Fits) -> None:
    (_, train, test), judged, served = customers
    assert served.manifest.policy == judged.manifest.policy
    assert served.manifest.metrics == PROMISED
    assert served.manifest.version == "7"
    origin, learned = served.manifest.metrics_from, served.manifest.learned
    assert origin is not None and learned is not None
    assert (origin.test_rows, origin.learned_rows) == (len(test), len(train))
    assert learned.rows == len(train) + len(test)
    assert judged.manifest.learned is not None
    assert judged.manifest.learned.rows == len(train)


def test_ranges_are_those_of_all_rows(customers: Fits) -> None:
    (_, _, test), judged, served = customers
    assert "tenure" in judged.predict(test.head(1))["warning"].iloc[0]
    assert served.predict(test.head(1))["warning"].iloc[0] == ""


def test_the_reference_holds_test_rows_with_what_a_model_said_that_had_not_seen_them(tmp_path: Path) -> None:
    use_case = changed(churn().use_case, models={"candidates": {"tree": {}}, "trials": 0, "folds": 2})
    case = Case(use_case, churn().train.head(1500), churn().test.head(500))
    _, judged, served = both(case, "tree", tmp_path)
    reference = served.reference()
    assert len(reference) == 2000
    np.testing.assert_allclose(reference["probability"].tail(500), judged.scores(case.test), atol=1e-12)
    assert not np.allclose(reference["probability"].tail(500), served.scores(case.test))


def test_of_a_series_the_newest_quarter_counts(tmp_path: Path) -> None:
    """Bikes rented by the day: demand has grown, and the two last months come after all that training gets."""
    hours = pd.read_csv(ROOT / "data/bike_sharing.csv", parse_dates=["dteday"])
    days = hours.groupby("dteday", as_index=False).agg({"cnt": "sum", "temp": "mean", "hum": "mean"})
    use_case = changed(
        bike().use_case,
        models={"candidates": BOOSTER, "trials": 0, "folds": 3},
        split={"cutoff": None, "test_share": 0.25},
        data={"unavailable_at_prediction": []},
        features={"categorical": [], "calendar": ["year", "month", "weekday"]},
        rules={"conditions": [], "otherwise": 4500},
    )
    known, later = days[days["dteday"] < "2012-05-01"], days[days["dteday"].between("2012-05-01", "2012-06-30")]
    _, judged, served = both(Case(use_case, *split(known, use_case)), "xgboost", tmp_path)
    errors = [float(np.abs(bundle.scores(later) - later["cnt"]).mean()) for bundle in (judged, served)]
    assert errors[1] < 0.6 * errors[0], errors
    assert served.manifest.learned is not None and judged.manifest.learned is not None
    assert str(served.manifest.learned.until) == "2012-04-30 00:00:00"
    assert str(judged.manifest.learned.until) < "2012-01-15"
    # a row that was in no validation fold has no score; every test row has one
    assert len(served.reference()) == len(judged.reference()) + 122


def test_a_column_that_no_one_has_judged_is_no_input(tmp_path: Path) -> None:
    """It was empty in the training rows, so the judged model did not see it."""
    use_case = changed(churn().use_case, models={"candidates": {"tree": {}}, "trials": 0, "folds": 2})
    train, test = churn().train.assign(loyalty=np.nan), churn().test.assign(loyalty=np.arange(len(churn().test)) % 7.0)
    _, judged, served = both(Case(use_case, train, test), "tree", tmp_path)
    assert served.manifest.schema_.names == judged.manifest.schema_.names
    assert "loyalty" not in served.manifest.schema_.names


def test_an_input_that_reads_otherwise_with_the_test_rows_is_told(tmp_path: Path) -> None:
    use_case = changed(churn().use_case, models={"candidates": {"tree": {}}, "trials": 0, "folds": 2})
    train = churn().train.head(1200).assign(note=["rang", "wrote", "came"] * 400)
    test = churn().test.head(1500).assign(note=[f"said on day {day} that all was well" for day in range(1500)])
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text))
    both(Case(use_case, train, test), "tree", tmp_path)
    assert any("`note` was judged as a category; with the test rows it is no input" in text for text in heard)
