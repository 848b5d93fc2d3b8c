"""Cross-validation folds, each with a schema and a preparation fitted on its own training rows only."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.data.split import folds as split_folds
from noria.models.candidates import Params
from noria.models.estimators import fit_estimator
from noria.models.fitted import Fitted, assemble, fit_rules
from noria.models.preparation import Preparation, build_preparation
from noria.models.training_rows import TrainingRows, encode_target, read_training_rows, target_classes
from noria.schema import Checked

_MOST_CELLS = 50_000_000


@dataclass(frozen=True)
class Prepared:
    """What one kind of model sees of a fold."""

    preparation: Preparation
    train: NDArray[np.floating]
    valid: NDArray[np.floating]


@dataclass(frozen=True)
class Fold:
    """One fold; nothing in it was learned from the validation rows."""

    rows: TrainingRows
    """The rows to fit on."""
    valid: Checked
    """The validation rows, read with the schema of `rows`."""
    places: NDArray[np.intp]
    """Where the validation rows stand in the training table."""
    truth: NDArray[np.generic]
    """Their class codes or numbers."""
    use_case: UseCase
    _prepared: dict[str, Prepared] = field(default_factory=dict)

    def fit(self, kind: str, params: Params) -> tuple[Fitted, NDArray[np.float64]]:
        """The model fitted on the fold's training rows, and its scores of the validation rows."""
        if kind == "rules":
            fitted = fit_rules(self.rows, self.use_case)
            return fitted, fitted.scores(self.valid)
        ready = self._ready(kind)
        estimator = fit_estimator(kind, params, self.rows, ready.train, self.use_case)
        fitted = assemble(kind, params, self.rows, ready.preparation, estimator)
        return fitted, fitted.scores_prepared(ready.valid)

    def _ready(self, kind: str) -> Prepared:
        preparation = build_preparation(kind, self.rows.schema, self.use_case.features.clip_quantile)
        if preparation.style not in self._prepared:
            train = preparation.fit_transform(self.rows.checked.matrix)
            self._prepared[preparation.style] = Prepared(preparation, train, preparation.transform(self.valid.matrix))
        return self._prepared[preparation.style]


class Folds:
    """The folds of a training table. They are read and prepared once and kept, unless the table is large."""

    def __init__(self, train: pd.DataFrame, use_case: UseCase) -> None:
        """Divide the n training rows, see `noria.data.split.folds`."""
        self.train = train
        self.use_case = use_case
        self.classes = target_classes(train, use_case)
        self.target = encode_target(train, use_case, self.classes)
        self._places = split_folds(train, use_case)
        self._keep = train.size * len(self._places) <= _MOST_CELLS
        self._kept: dict[int, Fold] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Fold]:
        for number in range(len(self)):
            fold = self._kept.get(number) or self._make(number)
            if self._keep:
                self._kept[number] = fold
            yield fold

    def _make(self, number: int) -> Fold:
        fit_on, validate_on = self._places[number]
        rows = read_training_rows(self.train.iloc[fit_on], self.use_case, classes=self.classes)
        valid = rows.schema.check(self.train.iloc[validate_on])
        return Fold(rows, valid, validate_on, self.target[validate_on], self.use_case)
