"""`make platform` for real: a model trained in containers, told to servers of our own, served, and all of it kept."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from docker_engine import docker, pipeline_image

from app.servers.env_files import read, write
from noria.client import Client
from noria.system.workspace import PROJECT
from tests.service.serving import free_ports
from tests.small_cases import churn_table, small_case, write_config
from tests.spool.spooled import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.docker]
_WITHIN_S = 900


@dataclass(frozen=True)
class Platform:
    """A platform in a workspace of its own."""

    home: Path
    project: str

    def run(self, *arguments: str, **more: str) -> str:
        """A command of the project; what it said."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("ZENML_", "NORIA_"))}
        environment |= {"NORIA_HOME": str(self.home), "DOCKER_BUILDKIT": "0"} | more
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    def compose(self, *arguments: str) -> str:
        return self.run("run.py", "platform", *arguments)

    def file(self, name: str) -> dict[str, str]:
        return read(self.home / "platform" / name)

    def stored(self, query: str) -> str:
        """What PostgreSQL says; nothing before the first answer is kept, which makes the tables."""
        asked = ["psql", "--username=noria", "--dbname=noria", "--tuples-only", "--no-align", f"--command={query}"]
        return docker("exec", f"{self.project}_database_1", *asked, check=False).stdout.strip()

    def runs(self) -> list[str]:
        """The states of the runs that ZenML's server knows."""
        access = self.file("zenml.env")
        url = f"{access['ZENML_STORE_URL']}/api/v1"
        with httpx.Client(base_url=url, timeout=60) as http:  # a server that was just started is slow
            token = http.post("/login", data={"password": access["ZENML_STORE_API_KEY"]}).json()["access_token"]
            found: Any = http.get("/runs", headers={"Authorization": f"Bearer {token}"}).json()["items"]
        return [run["body"]["status"] for run in found]


@pytest.fixture(scope="module")
def database(compose_engine: None) -> str:
    """Stands in for the official image where that cannot be fetched."""
    docker("build", "--tag", "noria-test-postgres", str(PROJECT / "tests" / "deploy" / "postgres"), timeout_s=_WITHIN_S)
    return "noria-test-postgres"


@pytest.fixture(scope="module")
def platform(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home, project = tmp_path_factory.mktemp("platform"), f"noria-test-{secrets.token_hex(3)}"
    ports = dict(zip(("ZENML_PORT", "MLFLOW_PORT", "SERVICE_PORT"), map(str, free_ports(3)), strict=True))
    told = {"COMPOSE_PROJECT_NAME": project, "POSTGRES_IMAGE": database, **ports}
    write(home / "platform" / "compose.env", told)
    pipeline_image()
    made = Platform(home, project)
    try:
        made.compose("up")
        yield made
    finally:
        made.compose("down")
        kept = docker("volume", "ls", "--quiet", "--filter", f"name={project}_").stdout.split()
        docker("volume", "rm", *kept, check=False)


def test_a_model_is_trained_and_served_on_it_and_all_of_it_outlives_a_stop(platform: Platform, tmp_path: Path) -> None:
    table = platform.home / "customers.csv"
    churn_table(1200).to_csv(table, index=False)
    config = str(write_config(small_case("on_platform", table), tmp_path / "case.yaml"))
    access = platform.file("zenml.env")

    said = platform.run("run.py", "train", "--config", config, "--stack", "platform", **access)
    assert "step evaluate in a container" in said
    assert platform.runs() == ["completed"]
    models = httpx.get(f"{access['NORIA_MLFLOW_URL']}/api/2.0/mlflow/registered-models/search", timeout=60).json()
    assert [model["name"] for model in models["registered_models"]] == ["on_platform"]

    platform.run("run.py", "deploy", "--config", config, "--stack", "platform", **access)
    settings = platform.file("compose.env")
    image = settings["NORIA_SERVICE_IMAGE"]
    url = f"http://{settings['BIND']}:{settings['SERVICE_PORT']}"
    with Client(url, token=settings["NORIA_PREDICT_TOKEN"]) as client:
        row = client.model().examples[0]
        answered = [client.predict([row])[0].id for _ in range(3)]
    assert eventually(lambda: platform.stored("SELECT count(*) FROM predictions") == "3")

    on_it = ("--config", config, "--stack", "platform")
    told = platform.run("run.py", "status", *on_it)
    assert "is running" in told and image in told and f"{url}, ready" in told and "variant champion" in told
    platform.run("run.py", "traffic", *on_it, "--threshold", "0.9")

    platform.run("run.py", "stop", *on_it, "--yes")
    assert docker("ps", "--quiet", "--filter", f"name={platform.project}_service").stdout == ""
    platform.compose("down")
    assert docker("ps", "--quiet", "--filter", f"name={platform.project}").stdout == ""
    platform.compose("up")
    platform.compose("serve")
    assert eventually(lambda: platform.stored("SELECT id FROM predictions ORDER BY seq").split() == answered)
    assert platform.runs() == ["completed"]
    with Client(url, token=settings["NORIA_PREDICT_TOKEN"]) as client:
        assert client.predict([row])[0].version == "1"
        assert client.model().policy["threshold"] == 0.9, "what was changed while it ran is forgotten"
    docker("image", "rm", "--force", image, check=False)
