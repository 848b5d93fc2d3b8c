"""The rule baseline as a model that can be ranked, thresholded and stored like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.config.modelling import RulesConfig
from noria.config.rule_syntax import rule_place
from noria.config.section import Section
from noria.models.condition_compiler import Predicate
from noria.models.conditions import compile_condition
from noria.schema.column import Kind
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean

if TYPE_CHECKING:
    from noria.models.training_rows import TrainingRows


class RuleOutcome(Section):
    """What one rule says, and what was true of the training rows that it caught."""

    when: str | None
    """The condition; None for `otherwise`."""
    then: str | float
    """The answer as written: a class, or a number for regression."""
    rows: int
    """Training rows that the rule caught, those of earlier rules left out."""
    scores: list[float]
    """Classification: share of each class among these rows, Laplace-smoothed. Regression: the number."""


class RuleModel(Section):
    """Ordered rules; the first condition that holds gives the answer."""

    kinds: dict[str, Kind]
    """How each column is read."""
    task: str
    """binary, multiclass or regression."""
    answers: list[RuleOutcome]
    """The rules in order; the last one is `otherwise`."""

    @classmethod
    def fit(cls, rules: RulesConfig, rows: TrainingRows) -> RuleModel:
        """Measure on the training rows how often each rule is right.

        A rule's probability of a class is (rows of the class + 1) / (rows + classes): Laplace's rule of succession
        (Essai philosophique sur les probabilités, 1814), so that a rule that catches few rows claims little.

        Args:
            rules: the rules as written.
            rows: the training rows; their schema has the columns that rules may use.

        Raises:
            NoriaError: a condition is not in the language of rules or does not fit the columns, or an answer is none
                of the classes.
        """
        kinds = {column.name: column.kind for column in rows.schema.columns}
        written: list[tuple[str | None, Any]] = [(rule.when, rule.then) for rule in rules.conditions]
        written.append((None, rules.otherwise))
        _check_answers(written, rows.classes)
        caught = _first(_compile([when for when, _ in written], kinds), rows.checked.values, len(rows.target))
        answers = [
            _measure(when, then, rows.target[caught == place], rows) for place, (when, then) in enumerate(written)
        ]
        return cls(kinds=kinds, task=rows.task, answers=answers)

    def scores(self, values: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.float64]:
        """(n,) positive probability or number, (n, k) probabilities for multiclass."""
        table = np.array([answer.scores for answer in self.answers], dtype=np.float64)
        found = table[self.caught_by(values, rows)]
        return found if self.task == "multiclass" else found[:, -1]

    def caught_by(self, values: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.intp]:
        """(n,) the place in `answers` of the rule that answers each row."""
        return _first(self.predicates, values, rows)

    def as_written(self, values: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.object_]:
        """(n,) the answers as the business wrote them."""
        said = np.array([answer.then for answer in self.answers], dtype=object)
        return said[self.caught_by(values, rows)]

    @cached_property
    def predicates(self) -> list[Predicate]:
        """The conditions, compiled.

        Raises:
            NoriaError: one is not in the language of rules.
        """
        return _compile([answer.when for answer in self.answers], self.kinds)


def _compile(conditions: Sequence[str | None], kinds: Mapping[str, Kind]) -> list[Predicate]:
    return [
        compile_condition(when, kinds, rule_place(place, when))
        for place, when in enumerate(conditions)
        if when is not None
    ]


def _first(predicates: Sequence[Predicate], values: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.intp]:
    caught = np.full(rows, len(predicates), dtype=np.intp)
    for place in range(len(predicates) - 1, -1, -1):
        caught[np.broadcast_to(predicates[place](values), rows)] = place
    return caught


def _measure(when: str | None, then: Any, caught: NDArray[Any], rows: TrainingRows) -> RuleOutcome:
    if not rows.classes:
        return RuleOutcome(when=when, then=float(then), rows=len(caught), scores=[float(then)])
    k = len(rows.classes)
    scores = (np.bincount(caught, minlength=k) + 1) / (len(caught) + k)
    return RuleOutcome(when=when, then=str(then), rows=len(caught), scores=scores.tolist())


def _check_answers(written: Sequence[tuple[str | None, Any]], classes: Sequence[str]) -> None:
    for place, (when, then) in enumerate(written):
        if classes and str(then) not in classes:
            raise NoriaError(
                f"`{then}` is not a class of the target",
                code="rules.answer_unknown",
                where="rules.otherwise" if when is None else rule_place(place, when),
                fix=did_you_mean(str(then), classes).replace("columns", "classes"),
            )
