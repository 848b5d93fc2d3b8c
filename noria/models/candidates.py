"""The kinds of models that compete: their parameters, search spaces and how readable they are."""

from collections.abc import Mapping
from typing import Any

from noria.config import UseCase
from noria.config.modelling import SearchRange
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean

Params = dict[str, Any]
KINDS = ("rules", "dummy", "tree", "linear", "forest", "xgboost")
"""From the most readable to the least."""
_SMALL_TREE = 5
_OURS = frozenset(
    {
        "random_state", "n_jobs", "nthread", "seed", "verbose", "verbosity", "warm_start", "device", "missing",
        "enable_categorical", "feature_types", "early_stopping_rounds", "callbacks", "eval_metric", "num_class",
        "oob_score", "constant", "base_margin",
    }
)  # fmt: skip
_DEFAULTS: dict[str, Params] = {
    "rules": {},
    "dummy": {},
    "tree": {"max_depth": 4, "min_samples_leaf": 20},
    "forest": {"n_estimators": 100, "max_depth": 12, "min_samples_leaf": 10, "max_features": 0.3},
    "xgboost": {
        "n_estimators": 150,
        "learning_rate": 0.05,
        "max_depth": 4,
        "min_child_weight": 2.0,
        "subsample": 0.8,
        "colsample_bytree": 0.8,
        "reg_lambda": 1.0,
    },
}
_SEARCH: dict[str, dict[str, SearchRange]] = {
    "tree": {
        "max_depth": SearchRange(low=2, high=_SMALL_TREE, integer=True),
        "min_samples_leaf": SearchRange(low=5, high=200, integer=True, log=True),
    },
    "forest": {
        "max_depth": SearchRange(low=4, high=16, integer=True),
        "min_samples_leaf": SearchRange(low=2, high=50, integer=True, log=True),
        "max_features": SearchRange(low=0.1, high=0.7),
    },
    "xgboost": {
        "n_estimators": SearchRange(low=50, high=400, integer=True),
        "learning_rate": SearchRange(low=0.01, high=0.3, log=True),
        "max_depth": SearchRange(low=2, high=8, integer=True),
        "min_child_weight": SearchRange(low=1, high=20, log=True),
        "subsample": SearchRange(low=0.5, high=1.0),
        "colsample_bytree": SearchRange(low=0.5, high=1.0),
        "reg_lambda": SearchRange(low=0.01, high=20, log=True),
    },
}


def default_params(kind: str, use_case: UseCase) -> Params:
    """The parameters of trial 0: Noria's own, overridden by those set by hand.

    Raises:
        NoriaError: a parameter that is set or searched does not exist.
    """
    task = use_case.problem.task
    start = _linear_defaults(task) if kind == "linear" else _DEFAULTS[kind]
    chosen = use_case.models.candidates.get(kind)  # type: ignore[call-overload]
    given = chosen.params if chosen else {}
    searched = chosen.search if chosen else {}
    _check_names(kind, task, {**given, **searched})
    return {**start, **given}


def search_space(kind: str, use_case: UseCase) -> dict[str, SearchRange]:
    """What tuning may change: the use case's own search space, else the built-in one without what is set by hand."""
    task = use_case.problem.task
    chosen = use_case.models.candidates.get(kind)  # type: ignore[call-overload]
    if chosen is None or not chosen.tune:
        return {}
    if chosen.search:
        return dict(chosen.search)
    built_in = _linear_search(task) if kind == "linear" else _SEARCH.get(kind, {})
    return {name: values for name, values in built_in.items() if name not in chosen.params}


def is_readable(kind: str, params: Mapping[str, Any]) -> bool:
    """Whether a person can follow the model: rules, a constant, a linear formula, or a tree of at most 5 levels."""
    if kind == "tree":
        return params.get("max_depth") is not None and params["max_depth"] <= _SMALL_TREE
    return kind in {"rules", "dummy", "linear"}


def build_estimator(kind: str, params: Params, task: str, *, seed: int, jobs: int) -> Any:
    """An unfitted scikit-learn estimator of one of its kinds (not `rules`, not `xgboost`)."""
    estimator = _estimator_class(kind, task)()
    # lbfgs and ridge draw no random numbers and gain nothing from more cores on one task
    ours = {"random_state": seed, "n_jobs": jobs}
    known = estimator.get_params()
    if kind == "linear":
        ours = {"random_state": seed}
    return estimator.set_params(**{key: value for key, value in ours.items() if key in known}, **params)


def known_params(kind: str, task: str) -> list[str]:
    """The names that `params` and `search` may use, as the library spells them."""
    if kind == "rules":
        return []
    if kind == "xgboost":
        from xgboost import XGBClassifier

        names = set(XGBClassifier().get_params())
        # with another objective the scores of a classifier would be no probabilities
        return sorted(names - _OURS - ({"objective"} if task != "regression" else set()))
    return sorted(set(_estimator_class(kind, task)().get_params()) - _OURS)


def _check_names(kind: str, task: str, params: Mapping[str, Any]) -> None:
    if not params:
        return
    known = known_params(kind, task)
    for name in params:
        if name not in known:
            fix = "Noria sets it" if name in _OURS else did_you_mean(name, known).replace("columns", "parameters")
            raise NoriaError(
                f"`{name}` is not a parameter of the candidate `{kind}`",
                code="models.parameter_unknown",
                where=f"models.candidates.{kind}",
                fix=fix,
            )


def _linear_defaults(task: str) -> Params:
    return {"alpha": 1.0} if task == "regression" else {"C": 1.0, "max_iter": 1000}


def _linear_search(task: str) -> dict[str, SearchRange]:
    name = "alpha" if task == "regression" else "C"
    return {name: SearchRange(low=0.001, high=1000 if task == "regression" else 10, log=True)}


def _estimator_class(kind: str, task: str) -> Any:
    from sklearn import dummy, ensemble, linear_model, tree

    classifiers = {
        "dummy": dummy.DummyClassifier,
        "linear": linear_model.LogisticRegression,
        "tree": tree.DecisionTreeClassifier,
        "forest": ensemble.RandomForestClassifier,
    }
    regressors = {
        "dummy": dummy.DummyRegressor,
        "linear": linear_model.Ridge,
        "tree": tree.DecisionTreeRegressor,
        "forest": ensemble.RandomForestRegressor,
    }
    return (regressors if task == "regression" else classifiers)[kind]
