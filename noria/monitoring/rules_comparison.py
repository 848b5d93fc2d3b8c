"""The model beside the rules of the business, on the predictions whose truth is known."""

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


def compare_with_rules(
    bundle: Bundle,
    use_case: UseCase,
    labelled: pd.DataFrame,
    scores: NDArray[np.float64],
    weights: LabelWeights | None = None,
) -> RulesComparison | None:
    """Judge the rules on the rows that the model has been judged on.

    Args:
        bundle: the model; how often each rule is right is measured on its reference rows.
        use_case: its rules.
        labelled: (n, …) predictions with a label, with the columns of `PredictionStore.window`.
        scores: (n,) or (n, k) what the model gave them.
        weights: how many cases each one stands for; None: all alike.

    Returns:
        None if the model is the rules, or if they were mined from the data and are no rival.
    """
    if bundle.manifest.kind == "rules" or use_case.rules.source == "mined" or not len(labelled):
        return None
    manifest = bundle.manifest
    names = manifest.schema_.names
    learned = bundle.reference()[[*names, manifest.target]]
    try:
        fitted = fit_rules(read_training_rows(learned, use_case), use_case)
    except NoriaError as error:
        progress.warn(f"the rules are not compared with the model: {error.what}")
        return None
    checked = fitted.schema.check(inputs_of(labelled).reindex(columns=names))
    said = rule_predictions(fitted, checked)
    rule_scores = fitted.scores(checked)
    answers = build_predictions(rule_scores, manifest.task, fitted.classes, manifest.policy, said)
    logged = Decided(scores, labelled["decision"], labelled["prediction"], manifest.classes)
    by_rules = Decided(rule_scores, answers["decision"], answers["prediction"], fitted.classes)
    model, rules, low, high = paired_worth(use_case, labelled["label"], logged, by_rules, weights)
    return RulesComparison(model=model, rules=rules, low=low, high=high)
