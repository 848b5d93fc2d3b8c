"""The one class that loads a bundle and predicts: service, batch and evaluation all use it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.bundle.answers import build_predictions, rule_predictions
from noria.bundle.fast_format import FAST, TREES
from noria.bundle.fast_model import FastModel
from noria.bundle.library_versions import check_libraries
from noria.bundle.manifest import Manifest
from noria.bundle.seal import sealed_bytes, verify_seal
from noria.system.errors import NoriaError

if TYPE_CHECKING:
    import pandas as pd

    from noria.models.fitted_model import FittedModel

REFERENCE, EXAMPLES = "reference.parquet", "examples.json"


@dataclass(frozen=True)
class ScoredRows:
    """What a bundle answers to n rows."""

    table: pd.DataFrame
    """n rows, see `Bundle.predict`."""
    scores: NDArray[np.float64]
    """(n,) or (n, k), see `Bundle.scores`; NaN for rows with an error."""


@dataclass(frozen=True)
class Bundle:
    """A verified model bundle.

    >>> bundle = Bundle.load(folder)
    >>> table = bundle.predict(pd.DataFrame(bundle.examples()))
    >>> list(table)
    ['prediction', 'probability', 'decision', 'warning', 'error']
    """

    manifest: Manifest
    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        """Verify the folder's seal; each model is read when it is first asked for, and nothing is unpickled.

        Raises:
            NoriaError: the folder is no bundle, or a file is missing, changed, cut short or one too many.
        """
        return cls(verify_seal(folder), folder)

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Verify the folder's seal and read the model; nothing is unpickled.

        Raises:
            NoriaError: the folder is no bundle, a file is missing, changed, cut short or one too many, or it was
                written with another major version of a library.
        """
        bundle = cls.open(folder)
        bundle.fitted  # noqa: B018 - read now, so that what is wrong shows now
        return bundle

    @cached_property
    def fitted(self) -> FittedModel:
        """The model; use `predict`, which checks the rows first.

        Raises:
            NoriaError: its files are damaged, or were written with another major version of a library.
        """
        manifest = self.manifest
        check_libraries(manifest, self.folder)
        from noria.models.model_storage import load_model  # after it: an absent library has an error of its own

        names = set(manifest.files) - {REFERENCE, EXAMPLES, FAST, TREES}
        return load_model(
            {name: sealed_bytes(self.folder, manifest, name) for name in names},
            kind=manifest.kind,
            params=manifest.parameters,
            schema=manifest.schema_,
            task=manifest.task,
            classes=manifest.classes,
        )

    @cached_property
    def fast(self) -> FastModel | None:
        """The model in its fast form, which needs neither pandas nor the training libraries; None if it has none.

        Raises:
            NoriaError: its files are damaged.
        """
        manifest = self.manifest
        if FAST not in manifest.files:
            return None
        names = {FAST, TREES, "rules.json"} & set(manifest.files)
        return FastModel.read({name: sealed_bytes(self.folder, manifest, name) for name in names}, manifest.task)

    def answer(self, frame: pd.DataFrame) -> ScoredRows:
        """Answer n rows; both the table and the scores behind it.

        Raises:
            NoriaError: an input column is missing (all of them are named).
        """
        import pandas as pd

        manifest = self.manifest
        checked = manifest.schema_.check(frame)
        scores = self.fitted.scores(checked)
        said = rule_predictions(self.fitted, checked)
        columns = build_predictions(scores, manifest.task, manifest.classes, manifest.policy, said)
        # building the table once is what keeps a single row fast
        table = pd.DataFrame({**columns, "warning": checked.warnings, "error": checked.errors}, index=frame.index)
        bad = np.array([error != "" for error in checked.errors], dtype=bool)
        if bad.any():
            scores = scores.copy()
            scores[bad] = np.nan
            table.loc[bad, list(columns)] = None
        return ScoredRows(table, scores)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Predict n rows, one out for each in, of the same index and order.

        Returns:
            prediction: the class as text, or the number.
            probability: of the positive class (binary) or of the predicted one (multiclass); NaN for regression.
            decision: "act", "ask" or "leave".
            warning: what the model has not seen in training; "" when there is nothing.
            error: what is wrong with the row; when it is not "", prediction, probability and decision are NaN.

        Raises:
            NoriaError: an input column is missing (all of them are named).
        """
        return self.answer(frame).table

    def scores(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """(n,) probabilities of the positive class or numbers, or (n, k) probabilities of the classes.

        Raises:
            NoriaError: an input column is missing, or a row is bad.
        """
        answers = self.answer(frame)
        errors = answers.table["error"].to_numpy()
        bad = np.flatnonzero(errors != "")
        if len(bad):
            raise NoriaError(
                str(errors[bad[0]]), code="predictions.row_invalid", where=f"row {bad[0]}", fix="correct the row"
            )
        return answers.scores

    def examples(self) -> list[dict[str, Any]]:
        """A few real rows as JSON would carry them."""
        found: list[dict[str, Any]] = json.loads(sealed_bytes(self.folder, self.manifest, EXAMPLES))
        return found

    def reference(self) -> pd.DataFrame:
        """At most 5,000 training rows: the inputs, the target, and out of fold `prediction`, `probability` and
        `decision`."""
        import pandas as pd

        return pd.read_parquet(io.BytesIO(sealed_bytes(self.folder, self.manifest, REFERENCE)))
