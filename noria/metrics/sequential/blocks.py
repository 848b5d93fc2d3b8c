"""Two variants that answered different cases, compared in blocks of neighbouring cases.

Cases come in the order in which their labels arrived. A block ends as soon as each variant has a few cases in it, so
its end depends on who answered, never on how well, and what was a block stays one when more cases come. The difference
within a block has the same mean as the difference of the variants, for any shares of the cases, and a change
of the world that meets both variants cancels out.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FEWEST = 4
"""Cases of each group in a block. At equal shares, 4 lose 8 % of the information in the cases; 1 would lose 21 %."""


def closed_blocks(groups: NDArray[np.int64], kinds: int, *, fewest: int = FEWEST) -> NDArray[np.int64]:
    """(n,) the number of the block of each case, -1 for those after the last complete block.

    Args:
        groups: (n,) the group of each case, 0 to `kinds` - 1, in the order in which the cases came.
        kinds: how many groups there are.
        fewest: cases that each group must have in a block.

    >>> closed_blocks(np.array([0, 0, 1, 1, 1, 0, 0]), 2, fewest=1)
    array([ 0,  0,  0,  1,  1,  1, -1])
    """
    blocks = np.full(len(groups), -1, dtype=np.int64)
    start, number, missing = 0, 0, [fewest] * kinds
    for place, group in enumerate(groups.tolist()):
        missing[group] -= 1
        if missing[group] == 0 and max(missing) <= 0:
            blocks[start : place + 1] = number
            start, number, missing = place + 1, number + 1, [fewest] * kinds
    return blocks


def mean_differences(values: Floats, second: Bools) -> Floats:
    """(k,) mean of the second variant's values less that of the first's, block by block.

    Args:
        values: (n,) one value per case (a loss, a worth), in the order in which the labels came.
        second: (n,) whether the second variant answered.
    """
    blocks = closed_blocks(second.astype(np.int64), 2)
    return _block_means(values, blocks, second) - _block_means(values, blocks, ~second)


def auc_differences(positive: Bools, score: Floats, second: Bools) -> Floats:
    """(k,) ROC AUC of the second variant less that of the first, block by block, each between -1 and 1.

    Within a block it is the share of pairs that are ranked correctly, a tie counting half; its mean is the ROC AUC.

    Args:
        positive: (n,) the truth of each case, in the order in which the labels came.
        score: (n,) the score that the variant gave it.
        second: (n,) whether the second variant answered.
    """
    blocks = closed_blocks(2 * second.astype(np.int64) + positive, 4)
    found = np.zeros(int(blocks.max(initial=-1)) + 1)
    ends = np.searchsorted(blocks[blocks >= 0], np.arange(len(found) + 1))
    for number in range(len(found)):
        rows = slice(ends[number], ends[number + 1])
        hit, given, its = positive[rows], score[rows], second[rows]
        found[number] = _auc(hit[its], given[its]) - _auc(hit[~its], given[~its])
    return found


def _block_means(values: Floats, blocks: NDArray[np.int64], chosen: Bools) -> Floats:
    rows = chosen & (blocks >= 0)
    size = int(blocks.max(initial=-1)) + 1
    sums = np.bincount(blocks[rows], weights=values[rows], minlength=size)
    return np.asarray(sums / np.bincount(blocks[rows], minlength=size), dtype=np.float64)


def _auc(positive: Bools, score: Floats) -> float:
    above = score[positive][:, None] - score[~positive][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)
