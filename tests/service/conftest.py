"""One trained model, one Bento and one running server, shared by the tests of the service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mixed
import numpy as np
import pandas as pd
import pytest
from serving import Served, free_port, with_serving

from noria.bundle import Bundle, revise_bundle, write_bundle
from noria.client import Client
from noria.config import UseCase, load_use_case
from noria.deployment import read_state, start_or_roll, stop
from noria.models.fitted_model import fit
from noria.models.policy_choice import DecisionPolicy
from noria.system.workspace import PROJECT, Workspace
from service.bento_build import build_bento

HELD_OUT = 1500


@pytest.fixture(scope="session")
def service_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("service") / ".noria"  # hidden, as the default workspace is
    home.mkdir()
    return home


@pytest.fixture(autouse=True)
def home(service_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(service_home))


@pytest.fixture(scope="session")
def mixed_linear(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A small model with inputs of every kind."""
    return mixed.write("linear", "binary", tmp_path_factory.mktemp("mixed") / "bundle")


@pytest.fixture(scope="session")
def mixed_trees(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The same with boosted trees, which take missing values and unseen categories in their own way."""
    return mixed.write("xgboost", "binary", tmp_path_factory.mktemp("mixed") / "bundle")


@pytest.fixture(scope="session")
def churn() -> pd.DataFrame:
    table = pd.read_csv(PROJECT / "data" / "telco_churn.csv")
    return table.assign(customer=[f"c{number}" for number in range(len(table))])


@pytest.fixture(scope="session")
def use_case() -> UseCase:
    """The churn case with an identifier, two workers and a free port."""
    loaded = load_use_case(PROJECT / "configs" / "telco_churn.yaml")
    named = loaded.model_copy(update={"data": loaded.data.model_copy(update={"id": "customer"})})
    return with_serving(named, port=free_port(), workers=2, max_rows=200)


@pytest.fixture(scope="session")
def bundle(use_case: UseCase, churn: pd.DataFrame, service_home: Path) -> Bundle:
    train = churn.iloc[HELD_OUT:].reset_index(drop=True)
    fitted = fit("xgboost", {"n_estimators": 30, "max_depth": 3}, train, use_case)
    return write_bundle(
        service_home / "bundles" / "v1",
        fitted,
        use_case=use_case,
        train=train,
        out_of_fold=np.full(len(train), 0.5),
        policy=DecisionPolicy(threshold=0.3),
        fingerprint="0" * 64,
        version="1",
    )


@pytest.fixture(scope="session")
def second_bundle(bundle: Bundle, service_home: Path) -> Bundle:
    return revise_bundle(bundle, service_home / "bundles" / "v2", version="2")


@pytest.fixture(scope="session")
def bento(bundle: Bundle, use_case: UseCase, service_home: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(service_home))
        return build_bento(bundle, Workspace(use_case.name))


@pytest.fixture(scope="session")
def served(use_case: UseCase, bento: Path, bundle: Bundle, service_home: Path) -> Iterator[Served]:
    workspace = Workspace(use_case.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(service_home))
        # a service in this process may have a store of its own
        patch.delenv("NORIA_PREDICTIONS_URL", raising=False)
        deployment = start_or_roll(use_case, workspace, bento, bundle)
    with Client(deployment.url) as client:
        yield Served(use_case, workspace, bento, bundle, deployment, client)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(service_home))
        assert stop(workspace)
        assert read_state(workspace) is None


@pytest.fixture(scope="session")
def held_out(churn: pd.DataFrame) -> list[dict[str, Any]]:
    """Real rows that no model was trained on, as JSON carries them; missing is None."""
    rows = churn.iloc[:HELD_OUT].drop(columns="churn").astype(object)
    return [{name: None if pd.isna(value) else value for name, value in row.items()} for row in rows.to_dict("records")]
