"""Fitting one estimator on a prepared matrix, and its scores."""

import contextlib
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import InvalidParameterError

from noria.config import UseCase
from noria.engines import BoostingJob, engine_of
from noria.models.candidates import Params, build_estimator
from noria.models.training_rows import TrainingRows
from noria.system.errors import NoriaError

_ROWS_AT_ONCE = 10_000
# values of a matrix; with fewer, threads that wait for one another spinning cost more than they save
_WORTH_THREADS = 2_000_000
_OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}


def fit_estimator(kind: str, params: Params, rows: TrainingRows, prepared: NDArray[Any], use_case: UseCase) -> Any:
    """A fitted scikit-learn estimator, or an `xgboost.Booster`.

    Args:
        kind: not `rules`.
        params: the library's own parameters.
        rows: n rows; their target is learned, each row by its weight.
        prepared: (n, q) what the kind's preparation makes of their matrix.
        use_case: gives seed and cores.

    Raises:
        NoriaError: the library refuses a parameter's value.
    """
    if kind == "xgboost":
        return _fit_booster(params, rows, prepared, use_case)
    models = use_case.models
    try:
        estimator = build_estimator(kind, params, rows.task, seed=models.seed, jobs=models.jobs)
        # scikit-learn adds up all values in single precision, and looks at each of them only if the sum is not finite:
        # an overflow there is nothing to tell
        with _few_threads(prepared), warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
            # a fit that stops short is judged by its cross-validated score like any other
            warnings.simplefilter("ignore", ConvergenceWarning)
            estimator.fit(prepared, rows.target, sample_weight=rows.weights)
    except (InvalidParameterError, ValueError) as error:
        raise _refused(kind, error) from error
    return estimator


def estimator_scores(estimator: Any, prepared: NDArray[Any], task: str, classes: Sequence[str]) -> NDArray[np.float64]:
    """(n,) or (n, k) scores of prepared rows, see `Fitted.scores`."""
    if hasattr(estimator, "inplace_predict"):
        return _in_blocks(lambda block: estimator.inplace_predict(block, validate_features=False), prepared)
    trees = trees_of(estimator)
    if task == "regression":
        return _mean_of_trees(trees, prepared)[:, 0] if trees else np.asarray(estimator.predict(prepared), np.float64)
    known = _mean_of_trees(trees, prepared) if trees else estimator.predict_proba(prepared)
    if known.shape[1] < len(classes):
        # a fold's training rows may lack a rare class
        full = np.zeros((len(known), len(classes)))
        full[:, estimator.classes_] = known
        known = full
    return np.asarray(known if task == "multiclass" else known[:, 1], dtype=np.float64)


def single_threaded(booster: Any) -> Any:
    """The booster, predicting on one core; many rows are spread over the cores in blocks."""
    booster.set_param({"nthread": 1})
    return booster


def _few_threads(prepared: NDArray[Any]) -> contextlib.AbstractContextManager[Any]:
    """One thread for BLAS where more are not worth it; a forest's own threads are not touched."""
    if prepared.size >= _WORTH_THREADS:
        return contextlib.nullcontext()
    import threadpoolctl  # type: ignore[import-untyped]

    one: contextlib.AbstractContextManager[Any] = threadpoolctl.threadpool_limits(1)
    return one


def trees_of(estimator: Any) -> list[Any]:
    """The `sklearn.tree._tree.Tree`s of a fitted tree or forest; empty for other models."""
    if hasattr(estimator, "tree_"):
        return [estimator.tree_]
    return [member.tree_ for member in getattr(estimator, "estimators_", [])]


def _mean_of_trees(trees: list[Any], prepared: NDArray[Any]) -> NDArray[np.float64]:
    """What the forest itself predicts, but always summed in the same order, and on one row ten times as fast.

    scikit-learn adds the trees up in the order in which its threads finish, so its last bits vary.
    """
    return _in_blocks(lambda block: _sum_of_trees(trees, block), prepared) / len(trees)


def _in_blocks(score: Callable[[NDArray[Any]], Any], prepared: NDArray[Any]) -> NDArray[np.float64]:
    """Blocks of rows on all cores, if there is more than one; each block on one core, whose sums never vary."""
    if len(prepared) <= _ROWS_AT_ONCE:
        return np.asarray(score(prepared), dtype=np.float64)
    import joblib

    # joblib's own threads are waited for in steps of 10 ms
    blocks = [prepared[start : start + _ROWS_AT_ONCE] for start in range(0, len(prepared), _ROWS_AT_ONCE)]
    with ThreadPoolExecutor(joblib.cpu_count()) as threads:
        return np.concatenate(list(threads.map(score, blocks))).astype(np.float64, copy=False)


def _sum_of_trees(trees: list[Any], prepared: NDArray[Any]) -> NDArray[np.float64]:
    total = np.array(trees[0].predict(prepared), dtype=np.float64)
    for tree in trees[1:]:
        total += tree.predict(prepared)
    return total


def _fit_booster(params: Params, rows: TrainingRows, prepared: NDArray[Any], use_case: UseCase) -> Any:
    import xgboost

    models, schema = use_case.models, rows.schema
    numbers, categories = schema.places("number", "datetime"), schema.places("category")
    threads = models.jobs if prepared.size >= _WORTH_THREADS else 1
    settings = {
        "objective": _OBJECTIVES[rows.task],
        "tree_method": "hist",
        "seed": models.seed,
        "nthread": threads,
        "verbosity": 0,
        **{name: value for name, value in params.items() if name != "n_estimators" and value is not None},
    }
    if rows.task == "multiclass":
        settings["num_class"] = len(rows.classes)
    table = {
        "feature_types": ["q"] * len(numbers) + ["c"] * len(categories),
        "enable_categorical": True,
        "nthread": threads,
        "max_bin": int(settings.get("max_bin", 256)),
    }
    try:
        rounds = int(params.get("n_estimators") or 100)
        job = BoostingJob(use_case.name, settings, rounds, prepared, rows.target, table, rows.weights)
        return single_threaded(engine_of(use_case.engine).train_xgboost(job))
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise _refused("xgboost", error) from error


def _refused(kind: str, error: Exception) -> NoriaError:
    reason = str(error).strip().splitlines()
    return NoriaError(
        f"the candidate `{kind}` cannot be fitted: {reason[-1] if reason else type(error).__name__}",
        code="models.fit_failed",
        where=f"models.candidates.{kind}",
        fix="correct its `params` or `search`",
    )
