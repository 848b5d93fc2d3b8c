"""Drift between plain tables."""

import numpy as np
import pandas as pd
import pytest

from noria.monitoring.column_drift import drift_threshold
from noria.monitoring.drift import ComparedColumns, measure_drift
from noria.monitoring.results import DriftResult
from tests import bundles

NUMBERS = ["tenure", "monthly_charges", "total_charges"]
CATEGORIES = ["contract", "internet_service", "payment_method", "tech_support"]


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return bundles.churn().train


@pytest.fixture
def rows() -> pd.DataFrame:
    return bundles.churn().test.astype(object)


def drift(reference: pd.DataFrame, rows: pd.DataFrame) -> DriftResult:
    return measure_drift(reference, rows, ComparedColumns(NUMBERS, CATEGORIES))


def test_values_that_are_gone_absurd_or_new_are_each_told(reference: pd.DataFrame, rows: pd.DataFrame) -> None:
    rows["tenure"] = rows["tenure"].mask(np.arange(len(rows)) % 3 == 0)
    rows["monthly_charges"] = None
    rows.loc[5, "total_charges"] = 1e300
    rows.loc[6, "total_charges"] = np.inf
    rows["contract"] = "Weekly"
    rows["tech_support"] = rows["tech_support"].mask(np.arange(len(rows)) % 2 == 0)

    facts = drift(reference, rows)

    told = {column.name: column.change.replace("\xa0", " ") for column in facts.moved}
    assert told == {
        "tenure": "missing in 0 % → 33 %",
        "monthly_charges": "missing in 0 % → 100 %",
        "contract": "Weekly 0 % → 100 %",
        "tech_support": "(missing) 0 % → 50 %",
    }
    assert facts.share == pytest.approx(4 / 7)


def test_a_column_of_two_values_is_told_by_its_mean(reference: pd.DataFrame, rows: pd.DataFrame) -> None:
    columns = ComparedColumns(["senior_citizen"], [])
    facts = measure_drift(reference, rows.assign(senior_citizen=1), columns)
    assert facts.moved[0].change == f"mean {reference['senior_citizen'].mean():.3g} → 1"


@pytest.mark.parametrize("many", [30, 100, 1000])
def test_chance_alone_seldom_moves_a_column(many: int) -> None:
    """Hours of a day, a skewed number and a rare category: samples of the same table lie within their limits."""
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import wasserstein_distance

    hours = bundles.bike().train["hr"].astype(str)
    counts = bundles.bike().train["cnt"].astype(float)
    shares = hours.value_counts(normalize=True)
    limits = [drift_threshold(values, many, is_number=values is counts) for values in (hours, counts)]
    beyond = 0
    for seed in range(100):
        sample = hours.sample(many, random_state=seed).value_counts(normalize=True).reindex(shares.index, fill_value=0)
        beyond += jensenshannon(shares, sample) >= limits[0]
        drawn = counts.sample(many, random_state=seed)
        beyond += wasserstein_distance(counts, drawn) / counts.std(ddof=0) >= limits[1]
    assert beyond <= 200 * 0.04  # 1 % is meant


def test_large_samples_keep_the_usual_limit(reference: pd.DataFrame, rows: pd.DataFrame) -> None:
    assert drift_threshold(reference["contract"].astype(str), len(rows), is_number=False) == 0.1
    assert drift_threshold(reference["tenure"].astype(float), len(rows), is_number=True) == 0.1
