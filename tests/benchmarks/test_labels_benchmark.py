"""Labels needed are read from the mean curve, and each way asks for rows of the pool that it does not have yet."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.labelled.curves import Choose, at_random, by_noria, curve, labels_needed, sizes
from benchmarks.labelled.tables import Labels, Score, churn
from noria.system.workspace import PROJECT

Rows = NDArray[np.intp]


def test_needed_is_where_the_mean_curve_crosses() -> None:
    curves = [[0.5, 0.6, 0.8], [0.5, 0.8, 0.8]]
    assert labels_needed([10, 100, 1000], curves, 0.7) == pytest.approx(100)
    assert labels_needed([10, 100, 1000], curves, 0.6) == pytest.approx(10**1.5)
    assert labels_needed([10, 100, 1000], curves, 0.9) == float("inf")


def test_a_curve_that_falls_by_chance_is_smoothed() -> None:
    assert labels_needed([10, 100, 1000], [[0.5, 0.9, 0.7]], 0.85) == float("inf")


@pytest.mark.parametrize("choose", [by_noria, at_random])
def test_each_round_asks_for_new_rows_of_the_pool(choose: Choose) -> None:
    table = dataclasses.replace(churn(PROJECT / "data"), most=30)
    asked: list[int] = []

    def noted(labels: Labels, labelled: Rows, model: Score, rows: int, seed: int) -> Rows:
        found = choose(labels, labelled, model, rows, seed)
        asked.extend(found)
        return found

    assert len(curve(table, noted, 0)) == len(sizes(30))
    assert len(asked) == len(set(asked)) == 30
    assert set(asked) <= set(table.pool)
