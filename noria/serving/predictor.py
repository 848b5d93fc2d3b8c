"""The predictor of one variant: rows in, predictions and decisions out, by the fast path if the bundle has one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.bundle.answers import build_prediction, build_predictions
from noria.bundle.background_sample import sample_background
from noria.serving.event_time import EventClock
from noria.serving.explanation import Explanation, explain, explain_values, groups_of
from noria.serving.http_errors import HTTPError
from noria.serving.row_reader import RequestRows, RowReader
from noria.system.errors import NoriaError

if TYPE_CHECKING:
    from noria.bundle import Bundle
    from noria.models.decision_policy import DecisionPolicy

Scores = NDArray[np.float64]
_SEED = 0
_BACKGROUND = 64
_MAX_ROWS, _MAX_TEXT = 1_000_000, 100_000


@dataclass(frozen=True)
class PredictedRows:
    """The predictions of n rows."""

    predictions: list[Any]
    """Classes as text, or numbers."""
    probabilities: list[float | None]
    decisions: list[str]


class Predictor:
    """Predicts with one bundle.

    Args:
        bundle: the model; only its fast form is read, if it has one.
        name: the variant's name.
        policy: the decision policy, if it differs from the bundle's.
        policy_version: version of that policy.
        max_rows: maximum rows in a request.
        max_text: maximum length of a text in a request.

    Raises:
        NoriaError: the model's files are damaged.
    """

    def __init__(
        self,
        bundle: "Bundle",
        name: str,
        *,
        policy: "DecisionPolicy | None" = None,
        policy_version: str = "1",
        max_rows: int,
        max_text: int,
    ) -> None:
        self.bundle, self.name, self.manifest = bundle, name, bundle.manifest
        self.version = bundle.manifest.version
        self.policy = bundle.manifest.policy if policy is None else policy
        self.policy_version = policy_version
        self.reader = RowReader(
            bundle.manifest.schema_,
            bundle.manifest.id,
            max_rows=max_rows,
            max_text=max_text,
            case_of=bundle.manifest.case_of,
            clock=EventClock.of(bundle.manifest),
            history=bundle.history,
        )
        self.history = bundle.history
        self.fast = bundle.fast
        self._rules = bundle.fitted.rules if self.fast is None else self.fast.rules  # loaded before the first request
        if self.fast is not None and self._rules is None:
            self.fast.scores(self._encoded)  # warm up, so that the first request is fast
        # one score determines prediction and decision
        self._has_single_score = self._rules is None and self.manifest.task != "multiclass"

    @classmethod
    def of(cls, bundle: "Bundle") -> "Predictor":
        """A predictor for use in this process, without a service.

        Raises:
            NoriaError: the model's files are damaged.
        """
        return cls(bundle, bundle.manifest.name, max_rows=_MAX_ROWS, max_text=_MAX_TEXT)

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Predict rows of JSON values; the fast form of a bundle needs neither pandas nor training libraries.

        Features of earlier cases are computed from those that `history` knows: at first the cases that the model has
        learned, and then those that are added to it, see `noria.history.HistoryState`.

        Args:
            rows: one object per case with every input column; None where a value is not known.

        Returns:
            For each row `prediction`, `probability` (None for regression), `decision` and `warning`, see
            `Bundle.predict`.

        Raises:
            NoriaError: a row cannot be read.
        """
        try:
            read = self.reader.read_objects([dict(row) for row in rows])
        except HTTPError as error:
            details = "".join(f"\n  row {each.row}: {each.problem}" for each in error.body.rows[:10])
            raise NoriaError(f"{error.body.error}{details}", code=error.body.code, fix=error.body.fix) from error
        predicted = self.predict(read)
        columns = (predicted.predictions, predicted.probabilities, predicted.decisions, read.warnings)
        names = ("prediction", "probability", "decision", "warning")
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def predict(self, rows: RequestRows) -> PredictedRows:
        """Predict n rows that this variant's reader has read."""
        manifest = self.manifest
        if len(rows.values) == 1 and self._has_single_score:
            score = float(self.scores(rows)[0])
            prediction, probability, decision = build_prediction(score, manifest.task, manifest.classes, self.policy)
            return PredictedRows([prediction], [probability], [decision])
        scores, written = self._rule_scores(rows) if self._rules is not None else (self.scores(rows), None)
        found = build_predictions(scores, manifest.task, manifest.classes, self.policy, written)
        probabilities = found["probability"].tolist()
        if manifest.task == "regression":
            probabilities = [None] * len(probabilities)
        return PredictedRows(found["prediction"].tolist(), probabilities, found["decision"].tolist())

    def scores(self, rows: RequestRows) -> Scores:
        """(n,) or (n, k) scores, see `FittedModel.scores`."""
        if rows.scored is not None and rows.scored[0] is self:
            return rows.scored[1]
        return self._score_matrix(rows.matrix) if self._rules is None else self._rule_scores(rows)[0]

    @property
    def supports_batching(self) -> bool:
        """Whether scoring several requests in one call is faster than one call for each."""
        return self.fast is not None and self.fast.has_trees

    def score_batch(self, requests: Sequence[RequestRows]) -> None:
        """Score the rows of several requests in one call; `scores` then returns the stored result."""
        scores, end = self._score_matrix(np.concatenate([rows.matrix for rows in requests])), 0
        for rows in requests:
            start, end = end, end + len(rows.matrix)
            rows.scored = self, scores[start:end]

    def explain(self, rows: RequestRows) -> Explanation:
        """Explain the score of the first row: of the positive class, of the predicted one, or the number."""
        place = int(self.scores(rows)[0].argmax()) if self.manifest.task == "multiclass" else None
        rules = self._rules
        if rules is not None:
            row = {name: values[:1] for name, values in self.reader.typed(rows).items()}
            return explain_values(lambda values, n: _column(rules.scores(values, n), place), row, self._typed, _SEED)
        return explain(
            lambda matrix: _column(self._score_matrix(matrix), place),
            rows.matrix[0],
            self._encoded,
            groups_of(self.manifest.schema_),
            _SEED,
        )

    def _rule_scores(self, rows: RequestRows) -> tuple[Scores, NDArray[np.object_] | None]:
        """The rules' scores, and their outcome for each row, which is None for regression."""
        assert self._rules is not None  # noqa: S101
        values, n = self.reader.typed(rows), len(rows.values)
        written = None if self.manifest.task == "regression" else self._rules.as_written(values, n)
        return self._rules.scores(values, n), written

    def _score_matrix(self, matrix: NDArray[np.float64]) -> Scores:
        if self.fast is not None:
            return self.fast.scores(matrix)
        return self.bundle.fitted.scores_encoded(matrix)

    @cached_property
    def _background(self) -> Any:
        schema = self.manifest.schema_
        if self.fast is not None:
            lists: dict[str, list[Any]] = dict(self.fast.background)
        else:
            rows = self.bundle.reference()
            rows = rows.iloc[sample_background(self.bundle.fitted.scores(rows), _BACKGROUND)]
            lists = {name: rows[name].tolist() for name in self.reader.names}
        return schema.check_lists(lists, len(next(iter(lists.values()))))

    @property
    def _encoded(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self._background.matrix
        return found

    @property
    def _typed(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = self._background.values
        return found


def _column(scores: Scores, place: int | None) -> Scores:
    return scores if place is None else scores[:, place]
