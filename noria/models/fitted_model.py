"""A fitted model with its schema and preparation: rows go in, scores come out."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from noria.config import UseCase
from noria.models.candidates import Params
from noria.models.estimators import estimator_scores, fit_estimator
from noria.models.learned_rows import Keys, LearnedRows, learned_rows, row_keys
from noria.models.preparation import Preparation, build_preparation
from noria.models.rule_model import RuleModel
from noria.models.training_rows import TrainingRows, read_training_rows
from noria.schema import CheckedRows, InputSchema
from noria.system import progress


@dataclass(frozen=True)
class FittedModel:
    """One fitted model of any kind. Exactly what its kind needs is set of `pipeline`, `booster` and `rules`."""

    kind: str
    """One of `noria.models.candidates.KINDS`."""
    params: Params
    """The parameters it was fitted with."""
    schema: InputSchema
    """What it takes in."""
    task: str
    """binary, multiclass or regression."""
    classes: list[str]
    """The classes of the scores: binary [negative, positive]; empty for regression."""
    pipeline: Pipeline | None = None
    """Preparation and estimator; for xgboost the preparation alone; None for rules."""
    booster: Any = None
    """xgboost: the `xgboost.Booster`, which takes what `pipeline` makes of the encoded matrix."""
    rules: RuleModel | None = None
    """rules: the measured rules."""
    learned: LearnedRows | None = None
    """The rows that it was fitted on; None for a model that was read from files, and for that of a fold."""
    keys: Keys | None = None
    """(k, n) what tells these rows from others, see `row_keys`; None where their time tells it, or as above."""

    def scores(self, rows: pd.DataFrame | CheckedRows) -> NDArray[np.float64]:
        """Score n rows.

        Args:
            rows: what `schema.check` gave, or a table that it accepts. A row with an error is scored as if the wrong
                value were missing: leave it out, or do not use its score.

        Returns:
            (n,) probability of the positive class, (n, k) probabilities of the classes for multiclass, or (n,)
            numbers for regression.
        """
        checked = rows if isinstance(rows, CheckedRows) else self.schema.check(rows)
        n = len(checked.matrix)
        if n == 0:
            return np.empty((0, len(self.classes)) if self.task == "multiclass" else 0)
        if self.rules is not None:
            return self.rules.scores(checked.values, n)
        return self.scores_encoded(checked.matrix)

    def scores_encoded(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of (n, p) rows as `InputSchema.encode` gives them; not for rules."""
        assert self.pipeline is not None  # noqa: S101 - every other kind has one
        return self.scores_prepared(self.pipeline[0].transform(matrix))

    def scores_prepared(self, prepared: NDArray[Any]) -> NDArray[np.float64]:
        """Scores of (n, q) rows that the preparation has been through; not for rules."""
        assert self.pipeline is not None  # noqa: S101
        estimator = self.pipeline[-1] if self.booster is None else self.booster
        return estimator_scores(estimator, prepared, self.task, self.classes)


def fit(kind: str, params: Params, train: pd.DataFrame, use_case: UseCase, *, warn: bool = True) -> FittedModel:
    """Fit schema, preparation and model on the rows given and on nothing else.

    Args:
        kind: one of `noria.models.candidates.KINDS`.
        params: the library's own parameters.
        train: n rows, their target present.
        use_case: gives the roles of the columns, the rules, the seed and the cores to use.
        warn: report columns that are no features, and rules that catch no row.

    Raises:
        NoriaError: see `InputSchema.fit`; a rule is wrong, or the library refuses a parameter's value.
    """
    rows = read_training_rows(train, use_case, warn=warn)
    if kind == "rules":
        fitted = fit_rules(rows, use_case)
        if warn:
            _warn_of_idle_rules(fitted)
    else:
        preparation = build_preparation(kind, rows.schema, use_case.features.clip_quantile)
        prepared = preparation.fit_transform(rows.checked.matrix)
        fitted = assemble(kind, params, rows, preparation, fit_estimator(kind, params, rows, prepared, use_case))
    own = rows.schema.own_matrix(rows.checked.matrix)
    keys = None if use_case.split.method == "time" else row_keys(train, own, use_case)
    return replace(fitted, learned=learned_rows(train, use_case), keys=keys)


def fit_rules(rows: TrainingRows, use_case: UseCase) -> FittedModel:
    """The rules of the use case, measured on these rows."""
    rules = RuleModel.fit(use_case.rules, rows)
    return FittedModel("rules", {}, rows.schema, rows.task, rows.classes, rules=rules)


def assemble(kind: str, params: Params, rows: TrainingRows, preparation: Preparation, estimator: Any) -> FittedModel:
    """A `FittedModel` from a preparation and an estimator or booster that were fitted on these rows."""
    steps: list[tuple[str, Any]] = [("prepare", preparation)]
    if kind != "xgboost":
        steps.append(("model", estimator))
    booster = estimator if kind == "xgboost" else None
    return FittedModel(kind, params, rows.schema, rows.task, rows.classes, Pipeline(steps), booster)


def _warn_of_idle_rules(fitted: FittedModel) -> None:
    for answer in fitted.rules.answers if fitted.rules else []:
        if answer.rows == 0 and answer.when is not None:
            progress.warn(f"a rule catches no training row: {answer.when}")
