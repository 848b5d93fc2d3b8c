"""How much each input matters to a model: a column that the model hardly uses may drift without harm."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.tabular.with_columns import with_columns

_ROWS = 300


def column_weights(bundle: Bundle, seed: int = 0) -> dict[str, float]:
    """Column → its share (0 to 1) of what moves the model's scores.

    The mean change of the scores when the column's values are shuffled among 300 reference rows, as in A. Fisher,
    C. Rudin and F. Dominici, All models are wrong, but many are useful, JMLR 20, 2019, with the score in place of the
    loss. Equal weights if no column moves them.
    """
    names = bundle.manifest.schema_.names
    reference = bundle.reference()
    rows = reference.sample(min(_ROWS, len(reference)), random_state=seed)[names].reset_index(drop=True)
    order = np.random.default_rng(seed).permutation(len(rows))
    usual = bundle.answer(rows).scores
    changes = {name: _change(bundle, rows, name, order, usual) for name in names}
    total = sum(changes.values())
    return {name: change / total if total else 1 / len(names) for name, change in changes.items()}


def _change(
    bundle: Bundle, rows: pd.DataFrame, name: str, order: NDArray[np.intp], usual: NDArray[np.float64]
) -> float:
    shuffled = with_columns(rows, {name: rows[name].to_numpy()[order]})
    moved = np.abs(bundle.answer(shuffled).scores - usual)
    return float(np.nanmean(moved)) if np.isfinite(moved).any() else 0.0
