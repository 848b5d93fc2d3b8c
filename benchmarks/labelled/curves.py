"""Learning curves: labels in rounds, chosen by Noria or at random, and the ROC AUC after each."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from benchmarks.labelled.tables import Labels, Score
from noria.labelling.design import Knowledge, Pool
from noria.labelling.sample import draw_sample
from noria.labelling.signals import label_information, tent

START = 10
"""Labels of the first round."""
GROWTH = 1.3
"""Each round asks for so many times what there is."""
_PART = 0.8
"""Each seed sees so much of the pool, drawn at random; else a way that draws little takes the same rows each time."""
SHARE = 0.95
"""Of what all labels bring above chance."""

Choose = Callable[[Labels, NDArray[np.intp], Score, int, int], NDArray[np.intp]]
"""(table, labelled rows, model, how many, seed) → rows to ask for."""


def sizes(most: int) -> list[int]:
    """The numbers of labels after each round."""
    found = [START]
    while found[-1] < most:
        found.append(min(most, max(found[-1] + 5, round(found[-1] * GROWTH))))
    return found


def curve(table: Labels, choose: Choose, seed: int) -> list[float]:
    """The ROC AUC on the test rows after each round, asking for rows of the seed's part of the pool."""
    part = np.random.default_rng(seed).choice(table.pool, round(_PART * len(table.pool)), replace=False)
    table = replace(table, pool=np.sort(part))
    labelled, areas = np.empty(0, dtype=np.intp), []
    model: Score = _even
    for size in sizes(table.most):
        labelled = np.concatenate([labelled, choose(table, labelled, model, size - len(labelled), seed)])
        truth = table.truth[labelled]
        model = table.fit(table.inputs[labelled], truth) if 0 < truth.sum() < len(truth) else _even
        areas.append(_area(table, model))
    return areas


def at_random(table: Labels, labelled: NDArray[np.intp], _: Score, rows: int, seed: int) -> NDArray[np.intp]:
    """Rows that are drawn at random."""
    random = np.random.default_rng([seed, len(labelled)])
    return random.choice(np.setdiff1d(table.pool, labelled), rows, replace=False)


def by_noria(table: Labels, labelled: NDArray[np.intp], model: Score, rows: int, seed: int) -> NDArray[np.intp]:
    """Rows that Noria chooses, its random share included; the threshold is at the share of positive labels so far."""
    rest = np.setdiff1d(table.pool, labelled)
    scores = model(table.inputs[rest])
    threshold = float(table.truth[labelled].mean()) if len(labelled) else 0.5
    stake = tent(scores, min(threshold, 0.5))
    learned = model(table.inputs[labelled]) if len(labelled) else np.empty(0)
    known = Knowledge(table.space[labelled], label_information(learned, "binary"), len(labelled))
    pool = Pool(table.space[rest], label_information(scores, "binary"), stake, stake)
    return rest[draw_sample(pool, known, rows, seed=seed * 1_000 + len(labelled)).rows]


def full_area(table: Labels) -> float:
    """The ROC AUC with all labels of the pool."""
    return _area(table, table.fit(table.inputs[table.pool], table.truth[table.pool]))


def goal_of(full: float) -> float:
    """What counts as reached: chance, and 95 % of what all labels bring above it."""
    return 0.5 + SHARE * (full - 0.5)


def labels_needed(counts: Sequence[int], areas: Sequence[Sequence[float]], goal: float) -> float:
    """Where the mean curve reaches the goal, smoothed so that it never falls; infinity if it does not.

    Between two rounds it is a line over the logarithm of the number of labels.
    """
    steps = np.log(counts)
    smooth = IsotonicRegression().fit_transform(steps, np.mean(areas, axis=0))
    reached = np.flatnonzero(smooth >= goal)
    if not len(reached):
        return float("inf")
    after = reached[0]
    if after == 0:
        return float(counts[0])
    share = (goal - smooth[after - 1]) / (smooth[after] - smooth[after - 1])
    return float(np.exp(steps[after - 1] + share * (steps[after] - steps[after - 1])))


def _even(rows: "NDArray[np.float64]") -> NDArray[np.float64]:
    return np.full(rows.shape[0], 0.5)


def _area(table: Labels, model: Score) -> float:
    return float(roc_auc_score(table.truth[table.test], model(table.inputs[table.test])))
