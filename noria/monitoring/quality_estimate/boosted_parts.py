"""Small boosted trees, cross-fitted: their number of rounds is chosen on rows that they have not seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Parts = list[tuple[Places, Places]]
"""(rows to fit on, rows held out) of each part."""

_PARAMS = {"max_depth": 4, "subsample": 0.8, "colsample_bytree": 0.8, "lambda": 3, "max_bin": 64}
_ROUNDS = 200
_PATIENCE = 25
_MANY = 20_000
"""From so many rows on, each tree may say more."""


@dataclass(frozen=True)
class BoostedParts:
    """One booster per part, with as many rounds as were best on the rows it was not fitted on."""

    boosters: list[Any]
    rounds: list[int]

    @property
    def help(self) -> bool:
        """Whether looking at the inputs helps at all."""
        return any(self.rounds)

    def add(self, matrix: Floats, margins: Floats) -> Floats:
        """(k, n) margins of each part with what its booster adds to them for the inputs (n, p)."""
        if not self.help:
            return margins
        import xgboost

        data = xgboost.DMatrix(matrix, base_margin=np.zeros(len(matrix)))
        gained = np.zeros_like(margins)
        for line, (booster, rounds) in enumerate(zip(self.boosters, self.rounds, strict=True)):
            if rounds:  # a range that ends at 0 would be all rounds
                gained[line] = booster.predict(data, output_margin=True, iteration_range=(0, rounds))
        return margins + gained


def fit_parts(
    matrix: Floats, target: Floats, margins: Floats, parts: Parts, *, objective: str, seed: int
) -> BoostedParts:
    """Learn what the inputs add to the margins.

    Args:
        matrix: (n, p) the inputs, NaN where missing.
        target: (n,) 0 or 1, or numbers.
        margins: (k, n) what each part says without the inputs: log-odds or numbers.
        parts: (k,) which rows each part is fitted on, and which it is judged on.
        objective: `binary:logistic` or `reg:squarederror`.
        seed: of the rows and columns that each tree sees.

    Returns:
        Boosters with as many rounds as are best on their rows held out, 0 where none is better than the margins alone.
    """
    params = _PARAMS | {"objective": objective, "seed": seed, "nthread": 1}
    params["eta"] = 0.1 if len(target) >= _MANY else 0.06
    params["eval_metric"] = "logloss" if objective == "binary:logistic" else "rmse"
    params["min_child_weight"] = 12.5 if objective == "binary:logistic" else 50  # about 50 rows a leaf
    fitted = [_fit(params, matrix, target, *given) for given in zip(margins, parts, strict=True)]
    return BoostedParts([booster for booster, _ in fitted], [int(curve.argmin()) for _, curve in fitted])


def _fit(
    params: dict[str, Any], matrix: Floats, target: Floats, margin: Floats, part: tuple[Places, Places]
) -> tuple[Any, Floats]:
    """A booster, and its loss on the rows held out after 0, 1, 2 … rounds."""
    import xgboost

    inside, outside = (xgboost.DMatrix(matrix[rows], target[rows], base_margin=margin[rows]) for rows in part)
    curve: dict[str, Any] = {}
    booster = xgboost.train(
        params,
        inside,
        _ROUNDS,
        evals=[(outside, "held_out")],
        early_stopping_rounds=_PATIENCE,
        evals_result=curve,
        verbose_eval=False,
    )
    before, truth = margin[part[1]], target[part[1]]
    if params["eval_metric"] == "logloss":
        without = float((np.logaddexp(0, before) - truth * before).mean())
    else:
        without = float(np.sqrt(((truth - before) ** 2).mean()))
    return booster, np.array([without, *curve["held_out"][params["eval_metric"]]])


def split_parts(rows: int, parts: int, seed: int, *, in_order: bool = False) -> Parts:
    """The rows in parts of equal size, each held out once: at random, or `in_order`, with neighbours together."""
    order = np.arange(rows) if in_order else np.random.default_rng(seed).permutation(rows)
    chunks = np.array_split(order, parts)
    return [(np.sort(np.concatenate([*chunks[:k], *chunks[k + 1 :]])), np.sort(chunks[k])) for k in range(parts)]
