"""Small real models on the real data, and predictions as the service logs them."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle, Metric, revise, write_bundle
from noria.config import UseCase, load_use_case
from noria.data.sources import read
from noria.data.split import split
from noria.judge.metrics import interval, measure
from noria.models.decision import choose_policy
from noria.models.fitted import fit
from noria.predictions import Feedback, PredictionRecord, PredictionStore
from noria.workspace import PROJECT, Workspace

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


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


def serve(
    store: PredictionStore, bundle: Bundle, rows: pd.DataFrame, at: datetime, labels: pd.Series | None = None
) -> list[str]:
    """Log predictions for the rows as the service does, and their labels if given; the predictions' ids."""
    names = bundle.manifest.schema_.names
    features = rows[names].astype(object).where(rows[names].notna(), None).to_dict(orient="records")
    answers = bundle.predict(rows)
    probabilities = answers["probability"].astype(object).where(answers["probability"].notna(), None)
    records = [
        PredictionRecord(
            request_id="r",
            model=bundle.manifest.name,
            version=bundle.manifest.version,
            features=row,
            prediction=prediction,
            probability=probability,
            decision=decision,
            latency_ms=1.0,
            at=at,
        )
        for row, prediction, probability, decision in zip(
            features, answers["prediction"], probabilities, answers["decision"], strict=True
        )
    ]
    store.append(records)
    ids = [record.id for record in records]
    if labels is not None:
        store.label([Feedback(id=key, label=label) for key, label in zip(ids, labels.tolist(), strict=True)])
    return ids


@pytest.fixture(scope="session")
def churn() -> UseCase:
    return load_use_case(PROJECT / "configs" / "telco_churn.yaml")


@pytest.fixture(scope="session")
def churn_rows(churn: UseCase) -> tuple[pd.DataFrame, pd.DataFrame]:
    return split(read(churn.data), churn)


@pytest.fixture(scope="session")
def churn_bundle(
    churn: UseCase, churn_rows: tuple[pd.DataFrame, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    return make_bundle(churn, *churn_rows, "linear", tmp_path_factory.mktemp("churn"))


@pytest.fixture(scope="session")
def bikes() -> UseCase:
    return load_use_case(PROJECT / "configs" / "bike_demand.yaml")


@pytest.fixture(scope="session")
def bike_rows(bikes: UseCase) -> pd.DataFrame:
    return read(bikes.data).sort_values("dteday", ignore_index=True)


@pytest.fixture(scope="session")
def bike_bundle(bikes: UseCase, bike_rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Trained on 2011 but for its last rows, which play the test: the model has not seen 2012 at all."""
    rows = bike_rows[bike_rows["dteday"] < "2012-01-01"].sample(frac=1, random_state=0)
    return make_bundle(bikes, rows[2000:], rows[:2000], "forest", tmp_path_factory.mktemp("bikes"))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    return Workspace("telco_churn")


@pytest.fixture
def store(workspace: Workspace) -> PredictionStore:
    return PredictionStore(workspace.predictions_url)
