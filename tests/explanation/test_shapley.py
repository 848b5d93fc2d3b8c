"""Contributions against what can be worked out by hand or by trying every order."""

import itertools
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from noria.serving.explanation import explain
from noria.serving.explanation.shapley import Matrix, Score

ALWAYS_SAMPLED = 1
PLENTY = 10**9


def each(width: int) -> list[list[int]]:
    return [[column] for column in range(width)]


def tangled(matrix: Matrix) -> NDArray[np.float64]:
    """Pairs, a product of three and a step, but nothing of column 3."""
    a, b, c, _, e = matrix.T
    scores: NDArray[np.float64] = a * b + np.sin(c) * e * a + 2 * (b > 0) * (c < 0.5) + 0.3 * e
    return scores


def by_all_orders(score: Score, row: Matrix, background: Matrix, groups: list[list[int]]) -> list[float]:
    """The definition itself: what each group adds, averaged over all orders and all background rows."""
    totals = [0.0] * len(groups)
    orders = list(itertools.permutations(range(len(groups))))
    for order in orders:
        for start in background:
            now = start.copy()
            for group in order:
                before = score(now[None])[0]
                now[groups[group]] = row[groups[group]]
                totals[group] += score(now[None])[0] - before
    return [total / len(orders) / len(background) for total in totals]


@pytest.fixture
def some() -> tuple[Matrix, Matrix]:
    generator = np.random.default_rng(3)
    return generator.normal(size=5), generator.normal(size=(7, 5))


def test_few_groups_are_exact(some: tuple[Matrix, Matrix]) -> None:
    row, background = some
    found = explain(tangled, row, background, each(5), seed=0, budget=PLENTY)
    np.testing.assert_allclose(found.contributions, by_all_orders(tangled, row, background, each(5)), atol=1e-12)
    assert found.baseline == pytest.approx(tangled(background).mean())


def test_columns_of_one_group_change_together(some: tuple[Matrix, Matrix]) -> None:
    row, background = some
    groups = [[0, 4], [], [1], [2, 3]]
    found = explain(tangled, row, background, groups, seed=0, budget=PLENTY)
    np.testing.assert_allclose(found.contributions, by_all_orders(tangled, row, background, groups), atol=1e-12)
    assert found.contributions[1] == 0


def test_a_column_in_no_group_keeps_its_value(some: tuple[Matrix, Matrix]) -> None:
    row, background = some
    held = background.copy()
    held[:, 2] = row[2]
    for budget in (ALWAYS_SAMPLED, PLENTY):
        loose = explain(tangled, row, background, [[0], [1], [3], [4]], seed=0, budget=budget)
        fixed = explain(tangled, row, held, each(5), seed=0, budget=budget)
        assert loose.baseline == pytest.approx(tangled(held).mean())
        np.testing.assert_allclose(np.insert(loose.contributions, 2, 0.0), fixed.contributions)


def test_samples_come_near_the_exact_values_and_nearer_with_more_of_them(some: tuple[Matrix, Matrix]) -> None:
    row, background = some
    exact = explain(tangled, row, background, each(5), seed=0, budget=PLENTY).contributions

    def error(repeats: int) -> float:
        wide = np.repeat(background, repeats, axis=0)
        gaps = [
            explain(tangled, row, wide, each(5), seed=seed, budget=ALWAYS_SAMPLED).contributions - exact
            for seed in range(20)
        ]
        return float(np.sqrt(np.mean(np.square(gaps))))

    few, many = error(1), error(64)
    assert few < 0.25 * np.abs(exact).max()
    assert many < few / 4  # 64 times the samples: an eighth of the error


def test_pairs_of_columns_are_exact_though_sampled() -> None:
    """A walk and its way back together give both orders of any two groups."""
    generator = np.random.default_rng(8)
    row, background, pairs = generator.normal(size=12), generator.normal(size=(9, 12)), generator.normal(size=(12, 12))

    def score(matrix: Matrix) -> NDArray[np.float64]:
        return np.einsum("ni,ij,nj->n", matrix, pairs, matrix)

    sampled = explain(score, row, background, each(12), seed=1, budget=ALWAYS_SAMPLED)
    exact = explain(score, row, background, each(12), seed=1, budget=PLENTY)
    np.testing.assert_allclose(sampled.contributions, exact.contributions, atol=1e-10)


@pytest.mark.parametrize("budget", [ALWAYS_SAMPLED, 5_000, PLENTY])
def test_a_linear_model_has_a_closed_form(budget: int) -> None:
    generator = np.random.default_rng(4)
    weights, row, background = generator.normal(size=10), generator.normal(size=10), generator.normal(size=(40, 10))
    found = explain(lambda matrix: matrix @ weights + 3, row, background, each(10), seed=2, budget=budget)
    np.testing.assert_allclose(found.contributions, weights * (row - background.mean(axis=0)), atol=1e-12)
    assert found.baseline == pytest.approx(background.mean(axis=0) @ weights + 3)


@given(
    seed=st.integers(0, 1000),
    width=st.integers(1, 9),
    rows=st.integers(1, 6),
    budget=st.sampled_from([ALWAYS_SAMPLED, 2_000]),
)
@settings(max_examples=60, deadline=None)
def test_contributions_add_up_to_the_score(seed: int, width: int, rows: int, budget: int) -> None:
    generator = np.random.default_rng(seed)
    row, background = generator.integers(-2, 3, size=width) * 1.0, generator.integers(-2, 3, size=(rows, width)) * 1.0
    weights = generator.normal(size=(width, width))

    def score(matrix: Matrix) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = np.tanh(matrix @ weights).prod(axis=1) + matrix.max(axis=1)
        return scores

    found = explain(score, row, background, each(width), seed=seed, budget=budget)
    assert found.baseline == pytest.approx(score(background).mean())
    assert found.baseline + found.contributions.sum() == pytest.approx(score(row[None])[0])


@pytest.mark.parametrize("budget", [ALWAYS_SAMPLED, PLENTY])
def test_what_the_model_ignores_gets_nothing(some: tuple[Matrix, Matrix], budget: int) -> None:
    row, background = some
    assert explain(tangled, row, background, each(5), seed=0, budget=budget).contributions[3] == 0


@pytest.mark.parametrize("budget", [ALWAYS_SAMPLED, PLENTY])
def test_columns_that_do_the_same_get_the_same(budget: int) -> None:
    row = np.array([1.0, 1.0, 4.0])
    background = np.array([[0.0, 0.0, 1.0], [-1.0, -1.0, 2.0]])
    found = explain(lambda rows: rows[:, 0] * rows[:, 1] + rows[:, 2], row, background, each(3), seed=0, budget=budget)
    assert found.contributions[0] == pytest.approx(found.contributions[1])
    assert found.contributions[2] == pytest.approx(2.5)


def test_a_row_like_the_background_has_nothing_to_explain() -> None:
    row = np.array([1.0, math.nan])
    found = explain(lambda rows: np.where(np.isnan(rows[:, 1]), 7.0, 0.0), row, np.tile(row, (4, 1)), each(2), seed=0)
    assert found.baseline == 7
    assert found.contributions.tolist() == [0, 0]


@pytest.mark.parametrize("budget", [ALWAYS_SAMPLED, PLENTY])
def test_missing_values_can_be_the_reason(budget: int) -> None:
    background = np.array([[math.nan, 1.0], [5.0, 2.0]])
    row = np.array([math.nan, 3.0])
    found = explain(lambda rows: np.isnan(rows[:, 0]) * 1.0, row, background, each(2), seed=0, budget=budget)
    assert (found.baseline, found.contributions.tolist()) == (0.5, [0.5, 0.0])


def test_one_of_several_classes() -> None:
    generator = np.random.default_rng(6)
    weights, row, background = generator.normal(size=(4, 3)), generator.normal(size=4), generator.normal(size=(20, 4))

    def probabilities(matrix: Matrix) -> NDArray[np.float64]:
        powers = np.exp(matrix @ weights)
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    likeliest = int(probabilities(row[None])[0].argmax())
    found = [
        explain(lambda rows, k=k: probabilities(rows)[:, k], row, background, each(4), seed=0)  # type: ignore[misc]
        for k in range(3)
    ]
    chosen = found[likeliest]
    assert chosen.baseline + chosen.contributions.sum() == pytest.approx(probabilities(row[None])[0, likeliest])
    # what makes one class likelier makes the others less likely
    np.testing.assert_allclose(sum(one.contributions for one in found), 0, atol=1e-12)


def test_the_same_seed_gives_the_same_and_the_budget_is_kept(some: tuple[Matrix, Matrix]) -> None:
    generator = np.random.default_rng(5)
    row, background, asked = generator.normal(size=20), generator.normal(size=(50, 20)), []

    def score(matrix: Matrix) -> NDArray[np.float64]:
        asked.append(len(matrix))
        scores: NDArray[np.float64] = np.abs(matrix).prod(axis=1)
        return scores

    first, second, other = (explain(score, row, background, each(20), seed=seed) for seed in (1, 1, 2))
    assert first.contributions.tolist() == second.contributions.tolist()
    assert first.contributions.tolist() != other.contributions.tolist()
    assert sum(asked) / 3 <= 8_000 + 51


def test_nothing_heavy_is_imported() -> None:
    heavy = "('pandas', 'sklearn', 'scipy', 'pydantic')"
    code = f"import sys, noria.serving.explanation; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_rows_given_are_not_changed(some: tuple[Matrix, Matrix]) -> None:
    row, background = some
    kept: list[Any] = [row.tolist(), background.tolist()]
    explain(tangled, row, background, [[0], [1]], seed=0)
    assert [row.tolist(), background.tolist()] == kept
