"""One variant as it answers: rows in, predictions and decisions out, by the fast path where the bundle has one."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.bundle.answer import answer, answer_one
from noria.explain import Explanation, explain, explain_values, groups_of, stand_ins
from noria.fast.rows import RowReader, Rows

if TYPE_CHECKING:
    from noria.bundle import Bundle
    from noria.models.policy import DecisionPolicy

Scores = NDArray[np.float64]
_SEED = 0
_BACKGROUND = 64


@dataclass(frozen=True)
class Said:
    """What was answered to n rows."""

    predictions: list[Any]
    """Classes as text, or numbers."""
    probabilities: list[float | None]
    decisions: list[str]


class Predictor:
    """Answers with one bundle.

    Args:
        bundle: the model; only its fast form is read, if it has one.
        name: the variant's name.
        policy: what is done with a prediction, if not what the bundle says.
        policy_version: names that policy.
        max_rows: most rows in a request.
        max_text: longest text in a request, in characters.

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
        self.reader = RowReader(bundle.manifest.schema_, bundle.manifest.id, max_rows=max_rows, max_text=max_text)
        self.fast = bundle.fast
        if self.fast is None:
            bundle.fitted  # noqa: B018 - read before the first request, not by it
        elif self.fast.rules is None:
            self.fast.warm_up(self._encoded)
        # one score says it all, and no rules have a word in it
        self._is_plain = self.fast is not None and self.fast.rules is None and self.manifest.task != "multiclass"

    def answer(self, rows: Rows) -> Said:
        """Predict n rows that this variant's reader has read."""
        manifest = self.manifest
        if len(rows.values) == 1 and self._is_plain:
            score = float(self.scores(rows)[0])
            prediction, probability, decision = answer_one(score, manifest.task, manifest.classes, self.policy)
            return Said([prediction], [probability], [decision])
        found = answer(self.scores(rows), manifest.task, manifest.classes, self.policy, self._as_written(rows))
        probabilities = found["probability"].tolist()
        if manifest.task == "regression":
            probabilities = [None] * len(probabilities)
        return Said(found["prediction"].tolist(), probabilities, found["decision"].tolist())

    def scores(self, rows: Rows) -> Scores:
        """(n,) or (n, k) scores, see `Fitted.scores`."""
        if self.fast is None:
            return self.bundle.fitted.scores(self.manifest.schema_.check_lists(self._lists(rows), len(rows.values)))
        if self.fast.rules is not None:
            return self.fast.rules.scores(self.reader.typed(rows), len(rows.values))
        return self.fast.scores(rows.matrix)

    def explain(self, rows: Rows) -> Explanation:
        """Take the score of the first row apart: of the positive class, of the predicted one, or the number."""
        place = int(self.scores(rows)[0].argmax()) if self.manifest.task == "multiclass" else None
        if self.fast is not None and self.fast.rules is not None:
            rules = self.fast.rules
            one = {name: values[:1] for name, values in self.reader.typed(rows).items()}
            return explain_values(lambda values, n: _one(rules.scores(values, n), place), one, self._typed, _SEED)
        return explain(
            lambda matrix: _one(self._of_matrix(matrix), place),
            rows.matrix[0],
            self._encoded,
            groups_of(self.manifest.schema_),
            _SEED,
        )

    def _as_written(self, rows: Rows) -> NDArray[np.object_] | None:
        rules = self.bundle.fitted.rules if self.fast is None else self.fast.rules
        if rules is None or self.manifest.task == "regression":
            return None
        return rules.as_written(self.reader.typed(rows), len(rows.values))

    def _of_matrix(self, matrix: NDArray[np.float64]) -> Scores:
        if self.fast is not None:
            return self.fast.scores(matrix)
        fitted = self.bundle.fitted
        assert fitted.pipeline is not None  # noqa: S101 - rules have a fast form
        return fitted.scores_prepared(fitted.pipeline[0].transform(matrix))

    def _lists(self, rows: Rows) -> dict[str, list[Any]]:
        return dict(zip(self.reader.names, map(list, zip(*rows.values, strict=True)), strict=True))

    @cached_property
    def _background(self) -> Any:
        schema = self.manifest.schema_
        if self.fast is not None:
            lists: dict[str, list[Any]] = dict(self.fast.background)
        else:
            lists = {name: list(values) for name, values in self._reference().items()}
        return schema.check_lists(lists, len(next(iter(lists.values()))))

    def _reference(self) -> dict[str, list[Any]]:
        rows = self.bundle.reference()
        rows = rows.iloc[stand_ins(self.bundle.fitted.scores(rows), _BACKGROUND)]
        return {name: rows[name].tolist() for name in self.reader.names}

    @property
    def _encoded(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self._background.matrix
        return found

    @property
    def _typed(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = self._background.values
        return found


def _one(scores: Scores, place: int | None) -> Scores:
    return scores if place is None else scores[:, place]
