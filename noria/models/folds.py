"""Cross-validation folds, each with a schema and a preparation fitted on its own training rows only."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.data.split import folds as split_folds
from noria.models.candidates import Params
from noria.models.estimators import fit_estimator
from noria.models.fitted_model import FittedModel, assemble, fit_rules
from noria.models.preparation import Preparation, build_preparation
from noria.models.training_rows import TrainingRows, encode_target, read_training_rows, target_classes
from noria.schema import CheckedRows

Places = tuple[NDArray[np.intp], NDArray[np.intp]]
_MOST_CELLS = 50_000_000


@dataclass(frozen=True)
class PreparedFold:
    """What one kind of model sees of a fold."""

    preparation: Preparation
    train: NDArray[np.floating]
    valid: NDArray[np.floating]


@dataclass(frozen=True)
class Fold:
    """One fold; nothing in it was learned from the validation rows."""

    rows: TrainingRows
    """The rows to fit on."""
    valid: CheckedRows
    """The validation rows, read with the schema of `rows`."""
    places: NDArray[np.intp]
    """Where the validation rows stand in the training table."""
    truth: NDArray[np.generic]
    """Their class codes or numbers."""
    use_case: UseCase
    _prepared: dict[str, PreparedFold] = field(default_factory=dict)

    def fit(self, kind: str, params: Params) -> "FoldFit":
        """Fit a model on the fold's training rows and score the validation rows."""
        start = time.perf_counter()
        if kind == "rules":
            fitted = fit_rules(self.rows, self.use_case)
            return FoldFit(fitted, fitted.scores(self.valid), time.perf_counter() - start)
        ready = self.prepared(kind)
        estimator = fit_estimator(kind, params, self.rows, ready.train, self.use_case)
        fitted = assemble(kind, params, self.rows, ready.preparation, estimator)
        return FoldFit(fitted, fitted.scores_prepared(ready.valid), time.perf_counter() - start)

    def prepared(self, kind: str) -> PreparedFold:
        """What a kind of model sees of the fold; made once."""
        preparation = build_preparation(kind, self.rows.schema, self.use_case.features.clip_quantile)
        if preparation.style not in self._prepared:
            train = preparation.fit_transform(self.rows.checked.matrix)
            self._prepared[preparation.style] = PreparedFold(
                preparation, train, preparation.transform(self.valid.matrix)
            )
        return self._prepared[preparation.style]


@dataclass(frozen=True)
class FoldFit:
    """A model of one fold."""

    fitted: FittedModel
    scores: NDArray[np.float64]
    """(v,) or (v, k) scores of the validation rows."""
    seconds: float
    """How long fitting and scoring took."""


class FoldLike(Protocol):
    """What cross-validation needs of a fold."""

    @property
    def places(self) -> NDArray[np.intp]:
        """Where the validation rows stand in the training table."""

    def fit(self, kind: str, params: Params) -> FoldFit:
        """Fit a model on the fold's training rows and score the validation rows."""


class FoldsLike(Protocol):
    """What cross-validation needs of folds, wherever they lie."""

    use_case: UseCase
    classes: list[str]
    target: NDArray[np.generic]
    """(n,) class codes or numbers of the training rows."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[FoldLike]: ...


class FoldSource(Protocol):
    """Folds that candidates share."""

    def __len__(self) -> int: ...

    def submit(self, kind: str, params: Params) -> FoldsLike:
        """The folds for this candidate; where many machines share the work, its fits begin now."""

    def remote(self, kind: str) -> FoldsLike:
        """The folds as this kind sees them, in a form that other processes can be given."""


class Folds:
    """The folds of a training table. They are read and prepared once and kept, unless the table is large."""

    def __init__(self, train: pd.DataFrame, use_case: UseCase, places: Sequence[Places] | None = None) -> None:
        """Divide the n training rows, by default as `noria.data.split.folds` does.

        `places` gives for each fold the places of the rows to fit on, and of those to validate on.
        """
        self.train = train
        self.use_case = use_case
        self.classes = target_classes(train, use_case)
        self.target = encode_target(train, use_case, self.classes)
        self.places = split_folds(train, use_case) if places is None else list(places)
        self._keep = train.size * len(self.places) <= _MOST_CELLS
        self._kept: dict[int, Fold] = {}

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Fold]:
        for number, places in enumerate(self.places):
            fold = self._kept.get(number) or make_fold(self.train, *places, **self.known)
            if self._keep:
                self._kept[number] = fold
            yield fold

    @property
    def known(self) -> dict[str, Any]:
        """What `make_fold` needs besides the rows."""
        return {"classes": self.classes, "target": self.target, "use_case": self.use_case}

    def submit(self, kind: str, params: Params) -> Self:
        """Themselves: each is fitted when it is asked to."""
        return self

    def remote(self, kind: str) -> Self:
        """Themselves."""
        return self


def make_fold(
    train: pd.DataFrame,
    fit_on: NDArray[np.intp],
    validate_on: NDArray[np.intp],
    *,
    classes: list[str],
    target: NDArray[np.generic],
    use_case: UseCase,
) -> Fold:
    """Read one fold of the training table: the places of its rows to fit on, and of those to validate on."""
    rows = read_training_rows(train.iloc[fit_on], use_case, classes=classes)
    valid = rows.schema.check(train.iloc[validate_on])
    return Fold(rows, valid, validate_on, target[validate_on], use_case)
