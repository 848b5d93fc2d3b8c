"""Totals stand for the rows: distances, quantiles and counts are those of the rows themselves."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from noria.monitoring.column_drift import category_drift, number_drift
from noria.monitoring.drift import ComparedColumns, drift_page, measure_drift
from noria.monitoring.window_totals import CategoryTotals, NumberTotals
from tests import bundles
from tests.monitoring.served import NOW

Floats = NDArray[np.float64]
RANDOM = np.random.default_rng(0)
REFERENCES: dict[str, Floats] = {
    "normal": RANDOM.normal(size=5_000),
    "skewed": np.exp(2 * RANDOM.normal(size=5_000)),
    "whole numbers": RANDOM.integers(0, 72, 5_000).astype(float),
    "two values": RANDOM.integers(0, 2, 5_000).astype(float),
    "far apart": np.repeat([0.0, 1_000.0, 1_001.0], [2_000, 2_000, 1_000]),
    "few": np.array([1.0, 2.0, 10.0]),
}
CHANGES: dict[str, Callable[[Floats], Floats]] = {
    "as it was": lambda values: values,
    "a little": lambda values: values * 1.01 + 0.003,
    "moved": lambda values: values + values.std() / 3,
    "another unit": lambda values: values * 100,
    "in between": lambda values: values.min() + (values.max() - values.min()) * RANDOM.random(len(values)),
    "absurd": lambda values: np.where(np.arange(len(values)) % 50 == 0, 1e30, values),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", REFERENCES)
def test_distance_and_quantiles_are_those_of_the_rows(kind: str, change: str) -> None:
    reference = REFERENCES[kind]
    values = CHANGES[change](RANDOM.choice(reference, 20_000))
    reach = 10 * np.ptp(reference)
    kept = np.clip(values, reference.min() - reach, reference.max() + reach)
    totals = NumberTotals(reference)
    for part in np.array_split(np.append(values, np.nan), 7):
        totals.add(part)

    unit = reference.std()
    assert totals.distance(reference) / unit == pytest.approx(wasserstein_distance(reference, kept) / unit, abs=2e-3)
    assert (totals.rows, totals.missing, totals.known) == (20_001, 1, 20_000)
    assert totals.mean == pytest.approx(values.mean())
    for share in (0.25, 0.5, 0.75):
        near = sorted(np.quantile(values, [share - 0.001, share + 0.001]))
        allowed = unit / 50 + 0.03 * abs(near[1])
        assert near[0] - allowed <= totals.quantile(share) <= near[1] + allowed


def test_a_part_of_the_reference_can_be_compared_with() -> None:
    reference, values = REFERENCES["normal"], RANDOM.normal(0.5, 1.0, 20_000)
    totals = NumberTotals(reference)
    totals.add(values)
    season = reference[reference < 0.3]
    assert totals.distance(season) == pytest.approx(wasserstein_distance(season, values), abs=1e-3)


def test_a_reference_without_values_or_with_one_raises_nothing() -> None:
    for reference in (np.full(5, np.nan), np.full(5, 3.0)):
        totals = NumberTotals(reference)
        totals.add(np.array([3.0, 4.0, np.nan]))
        move = number_drift(pd.Series(reference, name="a"), totals)
        assert np.isfinite(move.distance)


def test_values_without_a_count_of_their_own_do_not_change_the_distance() -> None:
    reference = pd.Series(["a", "b", "(missing)"] * 500, name="c")
    totals, counts = CategoryTotals(reference.unique()), {f"new {number}": 3 for number in range(15_000)}
    totals.add({"a": 10_000, None: 5_000, **counts})

    move = category_drift(reference, totals)

    shares = pd.Series({"a": 10_000, "(missing)": 5_000, **counts})
    assert totals.others > 0
    assert totals.rows == shares.sum()
    expected = jensenshannon(*reference.value_counts().align(shares, fill_value=0))
    assert move.distance == pytest.approx(expected)
    assert (move.figure, move.before) == ("b", "33\u00a0%")


def test_every_column_has_the_distance_that_evidently_has() -> None:
    train, test = bundles.churn().train, bundles.churn().test.copy()
    test["monthly_charges"] *= 1.3
    test["contract"] = test["contract"].mask(np.arange(len(test)) % 3 == 0)
    numbers, categories = ["tenure", "monthly_charges", "total_charges", "female"], ["contract", "payment_method"]
    columns = ComparedColumns(numbers, categories)

    found = measure_drift(train, test, columns)
    page = drift_page(train, test, columns, at=NOW, drift_share=0.5)

    assert page is not None
    metrics = json.loads(page.json())["metrics"]
    shown = {each["config"]["column"]: each["value"] for each in metrics if "column" in each["config"]}
    assert {each.name: each.distance for each in found.inputs} == pytest.approx(shown, abs=1e-4)
