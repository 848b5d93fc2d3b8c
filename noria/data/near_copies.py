"""Rows that differ by less than one in ten thousand, though their rounded numbers differ.

Rounding alone parts 12.345 and 12.344999 where the edge lies between them. Here such rows are found by their distance,
and get one key.
"""

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
_NEAR = 1e-4
_RADIUS = np.log10(1 + _NEAR)
_MOST_SPREAD = 2 * _RADIUS
_MORE_THAN_CHANCE = 3
_IN_TREE = 3
"""A tree over more columns is slower than a look at the rest of each pair that three of them leave."""


def join_near(keys: Keys, numbers: Floats) -> Keys:
    """Give near copies the lowest of their keys.

    Pairs are found in a k-d tree (Bentley 1975). Rows that are near by chance keep their keys: where columns shuffled
    one by one have nearly as many pairs, and where one row is near to the next, that one to another and so on.

    Args:
        keys: (n,) the same for rows that are already known as copies.
        numbers: (n, k) numbers in which near copies may differ; in all else, and in the signs of these, they agree.
            What else there is must be a column of whole numbers, which are never near one another.

    Returns:
        (n,) keys.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    different, first, codes = np.unique(keys, return_index=True, return_inverse=True)
    points = numbers[first]
    # what tells most rows apart first: the tree sees no more of it than is quick
    points = points[:, np.argsort([-len(np.unique(column)) for column in points.T], kind="stable")]
    pairs = _near_pairs(points)
    if not len(pairs):
        return keys
    draw = np.random.default_rng(0)
    by_chance = _near_pairs(np.column_stack([draw.permutation(column) for column in points.T]))
    if len(pairs) <= _MORE_THAN_CHANCE * len(by_chance):
        return keys
    size = len(different)
    links = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    lots = connected_components(links, directed=False)[1]
    order = np.argsort(lots, kind="stable")
    starts = np.flatnonzero(np.diff(lots[order], prepend=-1))
    spread = np.maximum.reduceat(points[order], starts) - np.minimum.reduceat(points[order], starts)
    is_lot = spread.max(axis=1) <= _MOST_SPREAD
    # unique keys rise, so the first of a lot is its lowest
    lowest = different[order[starts]]
    return np.where(is_lot[lots], lowest[lots], different)[codes]


def _near_pairs(points: Floats) -> npt.NDArray[np.intp]:
    """(m, 2) the positions of rows that are near in every column."""
    from scipy.spatial import cKDTree

    found = cKDTree(points[:, :_IN_TREE]).query_pairs(_RADIUS, p=np.inf, output_type="ndarray")
    is_near = (np.abs(points[found[:, 0], _IN_TREE:] - points[found[:, 1], _IN_TREE:]) <= _RADIUS).all(axis=1)
    return np.asarray(found[is_near], dtype=np.intp)
