"""The model beside the rules of the business, on the predictions whose truth is known."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.bundle.answers import build_predictions, rule_predictions
from noria.config import UseCase
from noria.metrics.bootstrap import bootstrap, percentile_interval
from noria.metrics.metrics import metric_statistics
from noria.models.fitted_model import fit_rules
from noria.models.training_rows import read_training_rows
from noria.monitoring.results import RulesComparison
from noria.predictions import inputs_of
from noria.system import progress
from noria.system.errors import NoriaError


def compare_with_rules(
    bundle: Bundle, use_case: UseCase, labelled: pd.DataFrame, scores: NDArray[np.float64]
) -> RulesComparison | None:
    """Judge the rules on the rows that the model has been judged on.

    Args:
        bundle: the model; how often each rule is right is measured on its reference rows.
        use_case: its rules.
        labelled: (n, …) predictions with a label, with the columns of `PredictionStore.window`.
        scores: (n,) or (n, k) what the model gave them.

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
    said = rule_predictions(fitted, checked)
    rule_scores = fitted.scores(checked)
    answers = build_predictions(rule_scores, manifest.task, fitted.classes, manifest.policy, said)
    is_number = manifest.task == "regression"
    truth = labelled["label"].to_numpy(dtype=np.float64 if is_number else str)
    several = manifest.task == "multiclass"
    statistics = [
        metric_statistics(use_case, truth, *given)["worth"]
        if not several
        else metric_statistics(use_case, truth, given[0], given[1], classes=classes, predictions=predicted)["worth"]
        for given, classes, predicted in (
            (
                (scores, labelled["decision"].to_numpy(dtype=str)),
                manifest.classes,
                labelled["prediction"].to_numpy(str),
            ),
            ((rule_scores, np.asarray(answers["decision"], dtype=str)), list(fitted.classes), answers["prediction"]),
        )
    ]
    once = np.ones((1, len(truth)))
    values = bootstrap(statistics, len(truth), use_case.evaluation.bootstrap, use_case.split.seed)
    low, high = percentile_interval(values[0] - values[1], use_case.evaluation.confidence)
    model, rules = (float(statistic(once)[0]) for statistic in statistics)
    return RulesComparison(model=model, rules=rules, low=low, high=high)
