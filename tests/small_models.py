"""Small real models, fitted in a second."""

from pathlib import Path

import numpy as np
import pandas as pd

from noria.bundle import Bundle, Metric, revise, write_bundle
from noria.config import UseCase
from noria.judge.metrics import interval, measure
from noria.models.decision import choose_policy
from noria.models.fitted import fit


def make_bundle(use_case: UseCase, train: pd.DataFrame, test: pd.DataFrame, kind: str, folder: Path) -> Bundle:
    """Fit on the training rows, with out-of-fold scores from two halves and metrics on the test rows."""
    params = {"n_estimators": 20, "min_samples_leaf": 3} if kind == "forest" else {}
    halves = np.arange(len(train)) % 2
    shape = (len(train), train[use_case.data.target].nunique()) if use_case.problem.task == "multiclass" else len(train)
    out_of_fold = np.empty(shape)
    for half in (0, 1):
        fitted = fit(kind, params, train[halves != half], use_case)
        out_of_fold[halves == half] = fitted.scores(train[halves == half])
    policy = choose_policy(use_case, train[use_case.data.target].to_numpy(), out_of_fold)
    bundle = write_bundle(
        folder / "raw",
        fit(kind, params, train, use_case),
        use_case=use_case,
        train=train,
        out_of_fold=out_of_fold,
        policy=policy,
        fingerprint="0" * 64,
        version="1",
    )
    return revise(bundle, folder / "judged", metrics=_metrics(bundle, test, use_case))


def _metrics(bundle: Bundle, test: pd.DataFrame, use_case: UseCase) -> dict[str, Metric]:
    answers = bundle.answer(test)
    given = (test[use_case.data.target].to_numpy(), answers.scores, answers.table["decision"].to_numpy(dtype=str))
    classes = bundle.manifest.classes if use_case.problem.task == "multiclass" else None
    values = measure(use_case, *given, classes=classes)
    ranges = {name: interval(use_case, name, *given, classes=classes) for name in values}
    return {name: Metric(value=value, low=ranges[name][0], high=ranges[name][1]) for name, value in values.items()}
