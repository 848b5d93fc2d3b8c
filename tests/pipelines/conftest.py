"""A model trained twice by the real pipeline, shared by the tests of what a run leaves behind."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pipeline_runs import at_home, runs_of

from app.command_result import CommandResult
from app.commands.train import train
from noria.config import UseCase
from noria.system.workspace import PROJECT
from tests.small_cases import churn_table, small_case

sys.path.append(str(PROJECT / "tests" / "cluster"))
from tests.cluster.fake_api import Cluster, served


@pytest.fixture(autouse=True)
def home(pipeline_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORIA_HOME", str(pipeline_home))
    return pipeline_home


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real customers, but for two rows that cannot be true."""
    path = tmp_path_factory.mktemp("data") / "churn.csv"
    rows = churn_table()
    rows.loc[[3, 7], "tenure"] = -1
    rows.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def use_case(table: Path) -> UseCase:
    return small_case("small_churn", table)


@pytest.fixture(scope="session")
def trained(use_case: UseCase, pipeline_home: Path) -> CommandResult:
    with at_home(pipeline_home):
        return train(use_case, None)


@pytest.fixture(scope="session")
def run(trained: CommandResult, use_case: UseCase) -> Any:
    """ZenML's record of the first run."""
    return runs_of(use_case)[-1]


@pytest.fixture(scope="session")
def trained_again(run: Any, use_case: UseCase, pipeline_home: Path) -> CommandResult:
    with at_home(pipeline_home):
        return train(use_case, None, again=True)


@pytest.fixture
def cluster(tmp_path: Path, pipeline_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A small server that speaks Kubernetes' API, as the cluster of every context."""
    pytest.importorskip("kubernetes", reason="the extra `kubernetes` is not installed")
    from kubernetes import config

    with served(Cluster()) as one:
        file = str(one.configuration(tmp_path / "config"))
        monkeypatch.setenv("KUBECONFIG", file)
        monkeypatch.setattr(config.kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", file)
        yield one
