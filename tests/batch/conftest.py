import pandas as pd
import pytest

from noria.bundle import Bundle
from tests import bundles


@pytest.fixture(scope="session")
def test_rows() -> pd.DataFrame:
    return bundles.churn().test


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundles.make(bundles.churn(), "linear", tmp_path_factory.mktemp("churn") / "bundle")
