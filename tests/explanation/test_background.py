"""Few rows that stand for all."""

import numpy as np
import pytest

from noria.bundle.background_sample import sample_background


@pytest.mark.parametrize("draw", ["exponential", "normal", "uniform"])
def test_their_mean_is_near_that_of_all_where_a_blind_draw_is_not(draw: str) -> None:
    generator = np.random.default_rng(0)
    scores = getattr(generator, draw)(size=2_000)
    blind = np.mean([abs(generator.choice(scores, 64).mean() - scores.mean()) for _ in range(200)])
    assert abs(scores[sample_background(scores, 64)].mean() - scores.mean()) < blind / 3


def test_each_class_is_there_as_often_as_it_should_be() -> None:
    generator = np.random.default_rng(1)
    scores = generator.dirichlet([6, 3, 1], size=3_000)
    chosen = sample_background(scores, 100)
    shares = [np.bincount(part.argmax(axis=1), minlength=3) / len(part) for part in (scores, scores[chosen])]
    np.testing.assert_allclose(shares[0], shares[1], atol=0.011)


@pytest.mark.parametrize("n", [1, 5, 64])
def test_of_few_rows_each_is_taken_once(n: int) -> None:
    assert sample_background(np.zeros(n), 64).tolist() == list(range(n))


def test_rows_of_one_score_are_taken_from_all_over() -> None:
    chosen = sample_background(np.repeat([0.2, 0.8], 500), 10)
    assert (chosen < 500).sum() == 5
    assert chosen[4] > 400
