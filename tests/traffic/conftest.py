"""A running service with a champion, a challenger that is as good, and one that has learned nonsense."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria import deployment as processes
from noria.bundle import Bundle, write_bundle
from noria.client import Client
from noria.config import UseCase, load_use_case
from noria.deployment import Deployment, VariantSpec, start_or_roll, stop
from noria.models.fitted_model import fit
from noria.models.policy_choice import DecisionPolicy
from noria.predictions import PredictionStore
from noria.system.workspace import PROJECT, Workspace
from noria.traffic.activation import TrafficPlan
from service.bento_build import build_bento
from tests.service.serving import free_port

HELD_OUT = 1500


@dataclass(frozen=True)
class Service:
    """A running server with all that it may answer with."""

    use_case: UseCase
    workspace: Workspace
    deployment: Deployment
    bento: Path
    bundles: dict[str, Bundle]
    rows: list[dict[str, Any]]
    truth: list[str]

    def store(self) -> PredictionStore:
        return PredictionStore(self.workspace.predictions_url)

    def spec(self, name: str, share: float = 0.0, *, shadow: bool = False) -> VariantSpec:
        return VariantSpec(self.bundles[name], name, share, shadow)

    def answer_with(self, *challengers: VariantSpec) -> TrafficPlan:
        """Let the champion and these answer; returns the order."""
        rest = 1 - sum(spec.share for spec in challengers)
        specs = [VariantSpec(self.bundles["champion"], share=rest), *challengers]
        start_or_roll(self.use_case, self.workspace, self.bento, specs[0].bundle, specs)
        return self.plan

    @property
    def plan(self) -> TrafficPlan:
        return processes.current_plan(self.workspace, self.deployment)


@pytest.fixture(scope="session")
def churn() -> pd.DataFrame:
    table = pd.read_csv(PROJECT / "data" / "telco_churn.csv")
    return table.assign(customer=[f"c{number}" for number in range(len(table))])


@pytest.fixture(scope="session")
def served_case() -> UseCase:
    loaded = load_use_case(PROJECT / "configs" / "telco_churn.yaml")
    serving = loaded.serving.model_copy(update={"port": free_port(), "workers": 2})
    return loaded.model_copy(
        update={"data": loaded.data.model_copy(update={"id": "customer"}), "serving": serving, "name": "traffic"}
    )


@pytest.fixture(scope="session")
def bundles(served_case: UseCase, churn: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """Version 1, 2 (as good) and 3, which was trained on the wrong labels."""
    train = churn.iloc[HELD_OUT:].reset_index(drop=True)
    upside_down = train.assign(churn=np.where(train["churn"] == "Yes", "No", "Yes"))
    folder, made = tmp_path_factory.mktemp("bundles"), {}
    for version, (name, rows) in enumerate(
        {"champion": train, "challenger": train, "nonsense": upside_down}.items(), 1
    ):
        fitted = fit("xgboost", {"n_estimators": 20 + version, "max_depth": 3}, rows, served_case)
        made[name] = write_bundle(
            folder / name,
            fitted,
            use_case=served_case,
            train=rows,
            out_of_fold=np.full(len(rows), 0.5),
            policy=DecisionPolicy(threshold=0.3),
            fingerprint="0" * 64,
            version=str(version),
        )
    return made


@pytest.fixture(scope="session")
def traffic_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traffic_home")


@pytest.fixture
def at_traffic_home(traffic_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(traffic_home))


@pytest.fixture(scope="session")
def running_service(
    served_case: UseCase, bundles: dict[str, Bundle], churn: pd.DataFrame, traffic_home: Path
) -> Iterator[Service]:
    rows = churn.iloc[:HELD_OUT].drop(columns="churn").astype(object)
    plain = [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in rows.to_dict("records")
    ]
    truth = churn["churn"].iloc[:HELD_OUT].tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(traffic_home))
        workspace = Workspace(served_case.name)
        bento = build_bento(bundles["champion"], workspace)
        deployment = start_or_roll(served_case, workspace, bento, bundles["champion"])
    yield Service(served_case, workspace, deployment, bento, bundles, plain, truth)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(traffic_home))
        assert stop(workspace)


@pytest.fixture
def service(running_service: Service, at_traffic_home: None) -> Service:
    """The champion answers alone when a test begins."""
    running_service.answer_with()
    return running_service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(service.deployment.url) as opened:
        yield opened
