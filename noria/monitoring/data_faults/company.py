"""Whether all other columns stayed the same: then a column changed by itself, and no other cases came."""

import numpy as np

from noria.monitoring.data_faults.rows import Rows
from noria.monitoring.data_faults.two_samples import is_near, ks_distance, shares_are_near


def others_alike(name: str, old: Rows, new: Rows) -> float:
    """The share of the columns besides `name` (0 to 1) that hold the same in both parts; 1 if there are none."""
    alike = [
        is_near(ks_distance(old.sorted_numbers[other], new.sorted_numbers[other]), len(old), len(new))
        for other in old.numbers
        if other != name and len(old.sorted_numbers[other]) and len(new.sorted_numbers[other])
    ]
    alike += [
        shares_are_near(old.category_counts[other], new.category_counts[other])
        for other in old.categories
        if other != name and old.category_counts[other].sum() and new.category_counts[other].sum()
    ]
    return float(np.mean(alike)) if alike else 1.0
