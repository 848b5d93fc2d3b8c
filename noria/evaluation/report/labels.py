"""Metrics, models and comparisons in plain words."""

from noria.config import UseCase
from noria.evaluation.results import RivalComparison
from noria.metrics.metrics import greater_is_better
from noria.reporting.formats import number, percent, plural

_KINDS = {
    "rules": "your own rules",
    "dummy": "a constant answer",
    "linear": "a linear model",
    "tree": "a small decision tree",
    "forest": "a random forest",
    "xgboost": "a model of boosted trees (XGBoost)",
}
_METRICS = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "accuracy": "Accuracy",
    "f1_macro": "Macro F1",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "r2": "R²",
}
_MEANINGS = {
    "roc_auc": "Of two {cases}, one that is “{positive}” and one that is not, how often the first gets the higher "
    "probability. 0.5 is tossing a coin, 1 is never wrong.",
    "average_precision": "How purely the highest probabilities hold “{positive}” {cases}: 1 is perfect, the share of "
    "“{positive}” is what drawing lots gives.",
    "log_loss": "How far the probabilities are from what happened; sure and wrong costs most. Smaller is better, 0 is "
    "perfect.",
    "brier": "The mean squared gap between probability and what happened. Smaller is better, 0 is perfect.",
    "accuracy": "The share of {cases} whose class is right.",
    "f1_macro": "How well each class is found and how rarely it is named in error, every class counting the same; 1 is "
    "perfect.",
    "mae": "By how much a prediction is off on average, in units of “{target}”. Smaller is better.",
    "rmse": "Like the mean error, but large errors count more. Smaller is better.",
    "r2": "The share of the ups and downs of “{target}” that the predictions follow; 0 is no better than the mean.",
    "worth": "What 1,000 decisions bring in, with the worth of each kind of decision that the use case names.",
}


def kind_name(kind: str, *, rules_mined: bool = False) -> str:
    """What a kind of model is called in a sentence: "a small decision tree"."""
    return "the rules read off the data" if kind == "rules" and rules_mined else _KINDS[kind]


def cases(use_case: UseCase) -> str:
    """What the rows are, in the plural: "customers"."""
    return plural(2, use_case.problem.case).partition(" ")[2]


def metric_name(metric: str, use_case: UseCase) -> str:
    """The metric's usual name."""
    return _METRICS.get(metric) or f"Worth of 1,000 decisions ({use_case.problem.unit})"


def metric_meaning(metric: str, use_case: UseCase) -> str:
    """What the metric says, for people who have never met it."""
    problem = use_case.problem
    return _MEANINGS[metric].format(
        cases=cases(use_case),
        positive=str(problem.positive) if problem.task == "binary" else "",
        target=use_case.data.target,
    )


def metric_value(metric: str, value: float) -> str:
    """The value with the digits that matter: `0.846`, `61.2`, `14,300`."""
    if metric in {"mae", "rmse", "worth"}:
        return rounded(value)
    return f"{value:.3f}".replace("-", "−")


def rounded(value: float) -> str:
    """Three significant digits, as more would promise what no sample can keep: `26,800`, `−0.0425`."""
    return number(float(f"{value:.3g}"), 3).replace("-", "−")


def comparison_in_words(comparison: RivalComparison, who: str, use_case: UseCase) -> str:
    """One sentence: who beats whom, by how much, and how sure that is."""
    metric, margin = use_case.evaluation.metric, comparison.margin
    rival = {
        "champion": f"version {comparison.rival_version}, deployed so far",
        "nothing": "a constant answer",
        "readable": kind_name(comparison.rival_kind),
        "rules": "your own rules",
    }[comparison.rival]
    are_many = "rules" in who
    verb = ("beat" if are_many else "beats") if comparison.beats else ("do not beat" if are_many else "does not beat")
    ours, theirs = (metric_value(metric, value) for value in (comparison.challenger_value, comparison.rival_value))
    better = "" if greater_is_better(metric) else " (smaller is better)"
    name = metric_name(metric, use_case)
    name = name if name[1:2].isupper() else f"{name[0].lower()}{name[1:]}"
    sentence = f"{who[0].upper()}{who[1:]} {verb} {rival}: {name} {ours} against {theirs}{better}"
    low, high = (metric_value(metric, value) for value in (comparison.low, comparison.high))
    digits = 0 if round(1000 * comparison.confidence) % 10 == 0 else 1
    chance = f"{percent(comparison.confidence, digits)} interval of the difference {low} to {high}"
    if comparison.beats:
        return f"{sentence} on the same test rows ({chance})."
    if comparison.difference <= 0:
        return f"{sentence} on the same test rows."
    if comparison.difference < margin:
        return f"{sentence}; a lead of {metric_value(metric, margin)} was asked for."
    return f"{sentence}; the lead may be chance ({chance})."
