import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase, load_use_case
from noria.data.sources import read
from noria.data.split import split
from noria.workspace import PROJECT
from tests.small_models import make_bundle


@pytest.fixture(scope="session")
def churn() -> UseCase:
    return load_use_case(PROJECT / "configs" / "telco_churn.yaml")


@pytest.fixture(scope="session")
def rows(churn: UseCase) -> tuple[pd.DataFrame, pd.DataFrame]:
    return split(read(churn.data), churn)


@pytest.fixture(scope="session")
def test_rows(rows: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return rows[1]


@pytest.fixture(scope="session")
def bundle(churn: UseCase, rows: tuple[pd.DataFrame, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(churn, *rows, "linear", tmp_path_factory.mktemp("churn"))
