"""The design and the draw."""

import numpy as np

from noria.labelling.design import Knowledge, Pool, most_informative
from noria.labelling.sample import draw_sample


def _pool(rows: int = 300, seed: int = 3) -> Pool:
    space = np.random.default_rng(seed).normal(size=(rows, 4))
    ones = np.ones(rows)
    return Pool(space, ones / 4, ones, ones)


_NOTHING = Knowledge(np.empty((0, 4)), np.empty(0), 0)


def test_each_choice_lowers_the_variance_most_given_those_before() -> None:
    pool = _pool(60)
    chosen, _ = most_informative(pool, _NOTHING, 5)
    rows = np.hstack([pool.space, np.ones((60, 1))])

    def variance(places: list[int]) -> float:
        precision = np.eye(5) + (rows[places] / 4).T @ rows[places]
        return float(np.einsum("ij,jk,ik->i", rows, np.linalg.inv(precision), rows).mean())

    for step in range(5):
        before = list(chosen[:step])
        others = [place for place in range(60) if place not in before]
        assert chosen[step] == min(others, key=lambda place: variance([*before, place]))


def test_what_is_known_is_not_asked_for() -> None:
    pool = _pool()
    side = pool.space[:, 0] > 0
    known = Knowledge(
        np.repeat(pool.space[side], 50, axis=0), np.full(50 * int(side.sum()), 0.25), 50 * int(side.sum())
    )
    _, unknown = most_informative(pool, known, 10)
    assert unknown[~side].mean() > unknown[side].mean()


def test_weighed_by_its_probabilities_the_sample_stands_for_the_pool() -> None:
    pool = _pool()
    figure = pool.space[:, 0] ** 2 + pool.space[:, 1]
    estimates, plain = [], []
    for seed in range(400):
        sample = draw_sample(pool, _NOTHING, 60, seed=seed)
        values = figure[sample.rows]
        estimates.append((values / sample.probability).sum() / len(figure))
        plain.append(values.mean())
    assert abs(np.mean(estimates) - figure.mean()) < 0.08
    assert abs(np.mean(plain) - figure.mean()) > 0.3


def test_a_small_pool_is_taken_completely() -> None:
    sample = draw_sample(_pool(7), _NOTHING, 50)
    assert sorted(sample.rows) == list(range(7))
    assert set(sample.probability) == {1.0}
