"""One model per period, learned on the labels known at its start, and its scores for later rows; kept on disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.retrained.cases import Case

_TREES, _DEPTH, _RATE = 100, 5, 0.1
_SEED = 7


@dataclass(frozen=True)
class Recipe:
    """Which rows a model learns from."""

    name: str
    periods: int | None = None
    """Rows of the newest periods alone; None: all."""
    half_life: int | None = None
    """A row's weight halves each so many periods; None: all weigh the same."""


GROWING = Recipe("all rows so far")
_SPANS = (4, 8, 16)
RECIPES = (
    GROWING,
    *(Recipe(f"the last {each} periods", periods=each) for each in _SPANS),
    *(Recipe(f"weights that halve in {each} periods", half_life=each) for each in _SPANS),
)


def scores(case: Case, cache: Path, recipe: Recipe = GROWING, *, ahead: int | None = None) -> np.ndarray:
    """(periods, n) float32 scores of the model learned at the start of each period; NaN for rows before it.

    `ahead` scores so many periods only.
    """
    about = f"{case.name} {recipe} {ahead} {_SEED} {_TREES} {_DEPTH} {_RATE}"
    digest = hashlib.sha256(about.encode())
    for part in (np.nan_to_num(case.inputs.to_numpy()), case.truth, case.period, case.known):
        digest.update(np.ascontiguousarray(part).tobytes())
    table, _, _ = case.name.partition(",")
    file = cache / f"{table}-{digest.hexdigest()[:16]}.npy"
    if file.exists():
        return np.asarray(np.load(file, mmap_mode="r"))
    found = np.full((case.periods, len(case.truth)), np.nan, dtype=np.float32)
    for start in range(case.periods):
        last = case.periods if ahead is None else start + ahead
        rows = (case.period >= start) & (case.period < last)
        found[start, rows] = _scores_from(case, start, recipe, rows)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(file, found)
    return found


def worth_matrix(case: Case, found: np.ndarray) -> np.ndarray:
    """(periods, periods) what each model's decisions bring in, in each period; NaN before the model was learned."""
    worth = np.full((len(found), len(found)), np.nan)
    for period in range(len(found)):
        rows = case.period == period
        for start in range(period + 1):
            worth[start, period] = case.worth(found[start, rows].astype(np.float64), case.truth[rows]).sum()
    return worth


def _scores_from(case: Case, start: int, recipe: Recipe, rows: np.ndarray) -> np.ndarray:
    from xgboost import XGBClassifier, XGBRegressor

    learned = case.known <= start
    if recipe.periods is not None:
        learned &= case.period >= start - recipe.periods
    weights = None if recipe.half_life is None else 0.5 ** ((start - case.period[learned]) / recipe.half_life)
    maker = XGBClassifier if case.binary else XGBRegressor
    model = maker(
        n_estimators=_TREES,
        max_depth=_DEPTH,
        learning_rate=_RATE,
        tree_method="hist",
        n_jobs=1,  # the same answer on every machine
        random_state=_SEED,
    )
    model.fit(case.inputs[learned], case.truth[learned], sample_weight=weights)
    asked = case.inputs[rows]
    return np.asarray(model.predict_proba(asked)[:, 1] if case.binary else model.predict(asked), dtype=np.float32)
