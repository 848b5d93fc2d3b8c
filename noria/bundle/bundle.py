"""The one class that loads a bundle and predicts: service, batch and evaluation all use it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
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
from noria.history import HistoryState
from noria.models.learned_rows import Keys, unpack_keys
from noria.system.errors import NoriaError
from noria.tabular.names import require_columns

if TYPE_CHECKING:
    import pandas as pd

    from noria.models.fitted_model import FittedModel

_EXAMPLES = 5
REFERENCE, EXAMPLES, LEARNED = "reference.parquet", "examples.json", "learned.bin"
HISTORY = "history.msgpack"
"""The earlier cases that history features start from."""


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

        names = set(manifest.files) - {REFERENCE, EXAMPLES, LEARNED, HISTORY, FAST, TREES}
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

    @cached_property
    def history(self) -> HistoryState | None:
        """The earlier cases, for the features that are computed from them; None if the model has no such features.

        It begins with the cases that the model has learned. Who serves the model adds new cases and labels.

        Raises:
            NoriaError: the cases are damaged.
        """
        manifest = self._manifest_now
        if manifest.schema_.history is None:
            return None
        seed = sealed_bytes(self.folder, manifest, HISTORY) if HISTORY in manifest.files else None
        return HistoryState(manifest.schema_, seed)

    def with_history(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The n rows with the features of earlier cases, of those that `history` knows and of the table itself.

        A table that has all these columns, such as one that `add_history` has made, stays as it is.

        Raises:
            NoriaError: a column that the features are computed from is missing.
        """
        spec = self.manifest.schema_.history
        if spec is None or set(spec.names) <= set(frame.columns) or self.history is None:
            return frame
        from noria.tabular.with_columns import with_columns

        require_columns(frame, [("input", name) for name in spec.inputs])
        cases = self.history.read({name: frame[name] for name in spec.inputs})
        entities: list[str | None] = [None] * len(frame)
        if self.manifest.id in frame.columns:
            codes, texts, _ = self.manifest.case_reader.read_texts(frame[self.manifest.id])
            entities = [texts[code] or None for code in codes.tolist()]
        made = dict(zip(spec.names, self.history.features(cases, entities), strict=True))
        return with_columns(frame.drop(columns=spec.names, errors="ignore"), made)

    def answer(self, frame: pd.DataFrame) -> ScoredRows:
        """Answer n rows; both the table and the scores behind it.

        Features of earlier cases that the table does not have are computed, see `with_history`.

        Raises:
            NoriaError: an input column is missing (all of them are named).
        """
        import pandas as pd

        manifest = self.manifest
        checked = manifest.schema_.check(self.with_history(frame))
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

    def with_fit(self, fitted: FittedModel) -> Bundle:
        """The same recipe after another fit: to be judged in memory, and written nowhere."""
        changes = {"schema_": fitted.schema, "classes": fitted.classes, "learned": fitted.learned, "files": {}}
        bundle = Bundle(self.manifest.model_copy(update=changes), self.folder)
        vars(bundle)["fitted"] = fitted  # where the cached property looks
        return bundle

    def learned_keys(self) -> Keys | None:
        """The keys of the rows that the model has learned from, in rising order, see `row_keys`; None: not kept."""
        if LEARNED not in self.manifest.files:
            return None
        return unpack_keys(sealed_bytes(self.folder, self.manifest, LEARNED))

    def examples(self) -> list[dict[str, Any]]:
        """A few rows as JSON would carry them; see `Manifest.examples`."""
        found: list[dict[str, Any]] = json.loads(sealed_bytes(self.folder, self._manifest_now, EXAMPLES))
        return found

    def real_examples(self) -> list[dict[str, Any]]:
        """At most five training rows as a request brings them; reads no pandas where there is a fast form."""
        asked = [column.name for column in self.manifest.schema_.asked]
        if self.fast is None:
            text = self.reference()[asked].head(_EXAMPLES).to_json(orient="records", date_format="iso")
            found: list[dict[str, Any]] = json.loads(text)
            return found
        rows = zip(*(self.fast.background[name] for name in asked), strict=True)
        return [dict(zip(asked, values, strict=True)) for values in islice(rows, _EXAMPLES)]

    def reference(self) -> pd.DataFrame:
        """At most 5,000 training rows: the inputs, the target, and out of fold `prediction`, `probability` and
        `decision`, in the columns that `reference_sample.answer_column` names."""
        import pandas as pd

        rows = pd.read_parquet(io.BytesIO(sealed_bytes(self.folder, self._manifest_now, REFERENCE)))
        for column in self.manifest.schema_.columns:  # kept in UTC without a zone; the schema reads the zone, too
            is_plain = column.name in rows and pd.api.types.is_datetime64_dtype(rows[column.name])
            if is_plain and column.reading.timezone == "offset":
                rows[column.name] = rows[column.name].dt.tz_localize("UTC")
        return rows

    @property
    def _manifest_now(self) -> Manifest:
        """The manifest, or that of the same model sealed again since: `forget` takes rows out of its samples."""
        manifest = verify_seal(self.folder)
        model = [name for name in self.manifest.files if name not in {REFERENCE, EXAMPLES, HISTORY, FAST}]
        is_same = all(manifest.files.get(name) == self.manifest.files[name] for name in model)
        return manifest if is_same else self.manifest
