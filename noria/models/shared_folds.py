"""Cross-validation folds in the memory of a cluster: read and prepared there once, fitted where there is room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.engines import Engine
from noria.models.candidates import Params
from noria.models.folds import Fold, FoldFit, FoldLike, Folds, PreparedFold, make_fold
from noria.models.preparation import style_of
from noria.schema import CheckedRows


class SharedFolds:
    """The folds of a training table in the memory of an engine's machines."""

    def __init__(self, train: pd.DataFrame, use_case: UseCase, kinds: Sequence[str], engine: Engine) -> None:
        """Begin to read and prepare every fold for these kinds of candidates.

        Raises:
            NoriaError: as `noria.models.folds.Folds`, or the cluster cannot be used.
        """
        self.use_case = use_case
        self._folds = Folds(train, use_case.on_one_machine())
        self._engine = engine
        # one kind for all that see the same
        self._like = {view_key(kind): kind for kind in kinds}
        known = {name: engine.share(value) for name, value in self._folds.known.items()}
        table, wanted = engine.share(train), list(self._like.values())
        self._made = [
            engine.submit(_make, wanted, table, *places, outputs=len(wanted), **known) for places in self._folds.places
        ]

    def __len__(self) -> int:
        return len(self._made)

    def submit(self, kind: str, params: Params) -> "RemoteFolds":
        """The folds; the fits of this candidate begin now."""
        return self.remote(kind, [self._engine.submit(_fit, fold, kind, params) for fold in self._of(kind)])

    def remote(self, kind: str, fits: Sequence[Any] = ()) -> "RemoteFolds":
        """The folds as this kind sees them, for work on the cluster."""
        folds, places = self._folds, [places[1] for places in self._folds.places]
        return RemoteFolds(folds.use_case, folds.classes, folds.target, places, self._of(kind), self._engine, fits)

    def _of(self, kind: str) -> list[Any]:
        place = list(self._like).index(view_key(kind))
        return [made[place] if len(self._like) > 1 else made for made in self._made]


@dataclass
class RemoteFolds:
    """Folds on the cluster of which references are known."""

    use_case: UseCase
    classes: list[str]
    target: NDArray[np.generic]
    places: list[NDArray[np.intp]]
    refs: list[Any]
    engine: Engine
    fits: Sequence[Any] = ()
    """The fits of one candidate that are under way; if there are none, each fold is fitted where it is asked to."""

    def __len__(self) -> int:
        return len(self.refs)

    def __iter__(self) -> Iterator[FoldLike]:
        if self.fits:
            yield from map(partial(PendingFold, self.engine), self.places, self.fits)
        else:
            yield from (_owned(self.engine.result(ref)) for ref in self.refs)


@dataclass
class PendingFold:
    """One fold whose fit is under way."""

    engine: Engine
    places: NDArray[np.intp]
    coming: Any

    def fit(self, kind: str, params: Params) -> FoldFit:
        """What comes of the fit; waits for it."""
        fit: FoldFit = self.engine.result(self.coming)
        return fit


def view_key(kind: str) -> str:
    """Kinds with the same key see the same of a fold."""
    return kind if kind == "rules" else style_of(kind)


def _make(kinds: Sequence[str], train: pd.DataFrame, fit_on: Any, validate_on: Any, **known: Any) -> Any:
    fold = make_fold(train, fit_on, validate_on, **known)
    seen = [_seen_by(kind, fold) for kind in kinds]
    return seen if len(seen) > 1 else seen[0]


def _fit(fold: Fold, kind: str, params: Params) -> FoldFit:
    return _owned(fold).fit(kind, params)


def _owned(fold: Fold) -> Fold:
    """The fold in memory of this process's own: what is shared is read-only, which scikit-learn does not take."""
    ready = {
        style: PreparedFold(each.preparation, each.train.copy(), each.valid.copy())
        for style, each in fold._prepared.items()
    }
    weights = None if fold.rows.weights is None else fold.rows.weights.copy()
    return replace(fold, rows=replace(fold.rows, target=fold.rows.target.copy(), weights=weights), _prepared=ready)


def _seen_by(kind: str, fold: Fold) -> Fold:
    """The fold with nothing but what such a model looks at: there is less to send about."""
    if kind == "rules":
        return replace(fold, _prepared={})
    nothing = CheckedRows({}, np.empty((0, 0)), [], [], [], None)
    ready = {style_of(kind): fold.prepared(kind)}
    return replace(fold, rows=replace(fold.rows, checked=nothing), valid=nothing, _prepared=ready)
