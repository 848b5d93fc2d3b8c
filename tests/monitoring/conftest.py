from pathlib import Path

import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase, load_use_case
from noria.data.sources import read
from noria.data.split import split
from noria.predictions import PredictionStore
from noria.workspace import PROJECT, Workspace
from tests.small_models import make_bundle


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
