"""Shapley values of one score: the contribution of each group of columns, relative to a background of other rows.

The game is the interventional one: a coalition of groups is worth the mean score over the background rows when these
groups have the values of the row to be explained and all others keep those of the background row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[Any]
Score = Callable[[Matrix], NDArray[np.float64]]
BUDGET = 8_000


class Explanation(NamedTuple):
    """The explanation of a score: `baseline + contributions.sum()` is the score of the row."""

    baseline: float
    """The mean score of the background rows."""
    contributions: NDArray[np.float64]
    """(g,) the contribution of each group, in the unit of the score."""


def explain(
    score: Score, row: Matrix, background: Matrix, groups: Sequence[Sequence[int]], seed: int, *, budget: int = BUDGET
) -> Explanation:
    """Explain the score of one row.

    With few groups the Shapley values are exact. Otherwise they are estimated: permutations of the groups are drawn
    for every background row, which is changed into `row` one group after the other in that order; what a group adds
    on its way is averaged (Štrumbelj and Kononenko, Knowledge and Information Systems 41, 2014). Each permutation is
    also walked backwards, which reduces the variance (Mitchell, Cooper, Frank and Holmes, Journal of Machine
    Learning Research 23, 2022). As every background row is used equally often, the contributions add up exactly in
    either case, and a group that the score does not depend on contributes 0.

    Args:
        score: scores (n, p) rows as (n,) numbers, each row by itself: for several classes, the probability of one.
        row: (p,) the row to be explained, of any type of values.
        background: (b, p) rows to compare it with, b at least 1; some hundred are enough.
        groups: the places of the columns that belong together; a group may be empty. A place in no group keeps the
            row's value throughout.
        seed: the same one gives the same contributions.
        budget: how many rows `score` may be given, about; at least one permutation per background row is walked both
            ways whatever it says.
    """
    game = _game(score, row, background, groups)
    contributions = np.zeros(len(groups))
    if not game.players:
        return Explanation(float(score(row[None])[0]), contributions)
    if len(background) * 2 ** len(game.players) <= budget:
        baseline, found = _exact(game)
    else:
        pairs = max(1, budget // (2 * len(background) * len(game.players)))
        baseline, found = _sampled(game, pairs, np.random.default_rng(seed))
    contributions[game.players] = found
    return Explanation(baseline, contributions)


@dataclass(frozen=True)
class _Game:
    score: Score
    row: Matrix
    background: Matrix
    """(b, p); columns that belong to no player have the row's value."""
    players: list[int]
    """The groups whose value differs in some background row: the others contribute 0."""
    owner: NDArray[np.intp]
    """(p,) the player to whom each column belongs; -1: none."""

    def scores(self, member: NDArray[np.bool_], starts: Matrix) -> NDArray[np.float64]:
        """Scores of the background rows `starts` (…, p) after the members (…, players) took over the row's values."""
        taken = member[..., np.maximum(self.owner, 0)] & (self.owner >= 0)
        rows = np.where(taken, self.row, starts)
        scores: NDArray[np.float64] = np.asarray(self.score(rows.reshape(-1, len(self.row))), dtype=np.float64)
        return scores.reshape(rows.shape[:-1])


def _game(score: Score, row: Matrix, background: Matrix, groups: Sequence[Sequence[int]]) -> _Game:
    missing = (row != row) & (background != background)  # noqa: PLR0124 - NaN and NaT of any type
    differs = np.asarray((background != row) & ~missing, dtype=bool)
    players = [place for place, columns in enumerate(groups) if differs[:, list(columns)].any()]
    owner = np.full(len(row), -1)
    for player, place in enumerate(players):
        owner[list(groups[place])] = player
    return _Game(score, row, np.where(owner >= 0, background, row), players, owner)


def _exact(game: _Game) -> tuple[float, NDArray[np.float64]]:
    """All coalitions are evaluated. Shapley, "A value for n-person games", 1953."""
    players = len(game.players)
    coalitions = np.arange(2**players)
    member = (coalitions[:, None] >> np.arange(players)) & 1 == 1
    worth = game.scores(member[:, None, :], game.background[None]).mean(axis=1)
    weight = np.array([factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)])
    found = np.empty(players)
    for player in range(players):
        without = coalitions[~member[:, player]]
        found[player] = weight[member[without].sum(axis=1)] @ (worth[without | 1 << player] - worth[without])
    return float(worth[0]), found


def _sampled(game: _Game, pairs: int, generator: np.random.Generator) -> tuple[float, NDArray[np.float64]]:
    """Walks from the background rows to the row; of each both ends are known, so only the way between is scored."""
    players, rows = len(game.players), len(game.background)
    rank = generator.permuted(np.tile(np.arange(players), (rows * pairs, 1)), axis=1)
    rank = np.concatenate([rank, players - 1 - rank])  # the same walks backwards
    starts = np.tile(np.arange(rows), 2 * pairs)
    ends = np.asarray(game.score(np.concatenate([game.background, game.row[None]])), dtype=np.float64)
    way = np.empty((len(rank), players + 1))
    way[:, 0], way[:, -1] = ends[starts], ends[-1]
    taken = rank[:, None, :] < np.arange(1, players)[None, :, None]
    way[:, 1:-1] = game.scores(taken, game.background[starts][:, None, :])
    found = np.take_along_axis(np.diff(way, axis=1), rank, axis=1).mean(axis=0)
    return float(ends[:-1].mean()), found
