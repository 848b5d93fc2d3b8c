from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle, MetricValue, revise_bundle
from noria.config import UseCase
from noria.metrics.metrics import compute_metrics, metric_interval
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace
from tests import bundles

Tables = tuple[pd.DataFrame, pd.DataFrame]


def judged(case: bundles.Case, kind: str, folder: Path) -> Bundle:
    """A bundle with its metrics on the test rows, as training leaves it."""
    use_case, _, test = case
    bundle = bundles.make(case, kind, folder / "raw")
    answers = bundle.answer(test)
    truth, decisions = test[use_case.data.target].to_numpy(), answers.table["decision"].to_numpy(dtype=str)
    given = (truth, answers.scores, decisions)
    classes = bundle.manifest.classes if use_case.problem.task == "multiclass" else None
    metrics = {}
    for name, value in compute_metrics(use_case, *given, classes=classes).items():
        low, high = metric_interval(use_case, name, *given, classes=classes)
        metrics[name] = MetricValue(value=value, low=low, high=high)
    return revise_bundle(bundle, folder / "judged", metrics=metrics)


@pytest.fixture(scope="session")
def churn() -> UseCase:
    return bundles.churn().use_case


@pytest.fixture(scope="session")
def churn_rows() -> Tables:
    return bundles.churn().train, bundles.churn().test


@pytest.fixture(scope="session")
def churn_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return judged(bundles.churn(), "linear", tmp_path_factory.mktemp("churn"))


@pytest.fixture(scope="session")
def contracts_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Three classes."""
    return judged(bundles.contracts(), "tree", tmp_path_factory.mktemp("contracts"))


@pytest.fixture(scope="session")
def bikes() -> UseCase:
    return bundles.bike().use_case


@pytest.fixture(scope="session")
def bikes_2012() -> pd.DataFrame:
    return bundles.bike().test


@pytest.fixture(scope="session")
def bike_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Trained and tested on 2011: what it promises knows nothing of 2012."""
    use_case, rows, _ = bundles.bike()
    is_test = np.arange(len(rows)) % 4 == 0
    case = bundles.Case(use_case, rows[~is_test].reset_index(drop=True), rows[is_test].reset_index(drop=True))
    return judged(case, "forest", tmp_path_factory.mktemp("bikes"))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    return Workspace("telco_churn")


@pytest.fixture
def store(workspace: Workspace) -> PredictionStore:
    return PredictionStore(workspace.predictions_url)
