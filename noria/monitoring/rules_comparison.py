"""The model beside the rules of the business, on the predictions whose truth is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.bundle.answers import build_predictions, rule_predictions
from noria.config import UseCase
from noria.models.fitted_model import fit_rules
from noria.models.training_rows import read_training_rows
from noria.monitoring.paired_worth import Decided, paired_worth
from noria.monitoring.partial_labels import LabelWeights
from noria.monitoring.results import RulesComparison
from noria.predictions import inputs_of
from noria.system import progress
from noria.system.errors import NoriaError


@dataclass(frozen=True)
class RuleAnswers:
    """What the rules say of n cases."""

    scores: NDArray[np.float64]
    """(n,) or (n, k) as `noria.metrics.metrics` has them."""
    predictions: NDArray[Any]
    """(n,) predicted classes or numbers."""
    decisions: NDArray[np.str_]
    """(n,) "act", "ask" or "leave"."""
    classes: list[str]
    """Multiclass: the class of each column of `scores`."""


def answer_by_rules(bundle: Bundle, use_case: UseCase, labelled: pd.DataFrame) -> RuleAnswers | None:
    """Let the rules of the business answer the rows that the model has answered.

    Args:
        bundle: the model; how often each rule is right is measured on its reference rows.
        use_case: its rules.
        labelled: (n, …) predictions with a label, with the columns of `PredictionStore.window`.

    Returns:
        None if the model is the rules, or if they were mined from the data and are no rival.
    """
    if bundle.manifest.kind == "rules" or use_case.rules.source == "mined" or not len(labelled):
        return None
    manifest = bundle.manifest
    names = manifest.schema_.names
    learned = bundle.reference()[[*names, manifest.target]]
    try:
        # rules are measured on rows of equal weight, and the reference has no time
        fitted = fit_rules(read_training_rows(learned, use_case.with_window(None)), use_case)
    except NoriaError as error:
        progress.warn(f"the rules are not compared with the model: {error.what}")
        return None
    checked = fitted.schema.check(inputs_of(labelled).reindex(columns=names))
    said, scores = rule_predictions(fitted, checked), fitted.scores(checked)
    answers = build_predictions(scores, manifest.task, fitted.classes, manifest.policy, said)
    decisions = np.asarray(answers["decision"], dtype=str)
    return RuleAnswers(scores, answers["prediction"], decisions, list(fitted.classes))


def compare_with_rules(
    bundle: Bundle,
    use_case: UseCase,
    labelled: pd.DataFrame,
    scores: NDArray[np.float64],
    rules: RuleAnswers | None,
    *,
    weights: LabelWeights | None = None,
) -> RulesComparison | None:
    """Judge the rules on the rows that the model has been judged on.

    Args:
        bundle: the model.
        use_case: what a decision is worth.
        labelled: (n, …) predictions with a label, with the columns of `PredictionStore.window`.
        scores: (n,) or (n, k) what the model gave them.
        rules: what the rules say of them.
        weights: how many cases each one stands for; None: all alike.

    Returns:
        None if there are no rules to compare with.
    """
    if rules is None:
        return None
    logged = Decided(scores, labelled["decision"], labelled["prediction"], bundle.manifest.classes)
    answered = Decided(rules.scores, rules.decisions, rules.predictions, rules.classes)
    by_model, by_rules, low, high = paired_worth(use_case, labelled["label"], logged, answered, weights)
    return RulesComparison(model=by_model, rules=by_rules, low=low, high=high)
