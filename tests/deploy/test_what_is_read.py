"""Every variable in the chart is one that the program reads, and every probe asks an address that it has."""

import re
from typing import Any

import pytest
from rendered import container_of, environment, example, named

from noria.predictions.database import connect
from noria.system.workspace import PROJECT
from service.app import App
from service.runtime import Runtime
from service.settings import PRIVACY_KEY, TOKENS
from service.variables import PREDICTIONS_URL, SERVING, SPOOL_DIR
from tests.errors_raised import raises


def probes(container: dict[str, Any]) -> dict[str, str]:
    kinds = ("startupProbe", "readinessProbe", "livenessProbe")
    return {kind: container[kind]["httpGet"]["path"] for kind in kinds}


@pytest.mark.parametrize("name", ["small", "production", "external"])
def test_the_service_reads_what_it_is_told(name: str) -> None:
    told = set(environment(container_of(example(name), "noria-service")))
    assert {*TOKENS.values(), PREDICTIONS_URL, SPOOL_DIR} <= told
    # the password is named by the URL
    assert told <= {*TOKENS.values(), PREDICTIONS_URL, SPOOL_DIR, SERVING, PRIVACY_KEY, "NORIA_DATABASE_PASSWORD"}


def test_the_service_s_probes_are_answered() -> None:
    container = container_of(example("small"), "noria-service")
    asked = probes(container)
    assert asked == {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    assert App(Runtime()).routes["/readyz"].scope is None
    contained = (PROJECT / "service" / "container_entrypoint.py").read_text(encoding="utf-8")
    assert f'"{container["ports"][0]["containerPort"]}"' in contained


def test_the_password_of_the_database_is_filled_in_when_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:

    url = environment(container_of(example("small"), "noria-service"))["NORIA_PREDICTIONS_URL"]
    service = named(example("small"), "Service", "noria-postgresql")
    assert f"@{service['metadata']['name']}:{service['spec']['ports'][0]['port']}/" in url
    monkeypatch.setenv("NORIA_DATABASE_PASSWORD", "hunter2")
    here = url.replace("noria-postgresql:5432", "127.0.0.1:1")
    with raises("predictions.store_failed") as caught:  # it was read, and nobody listens there
        connect(here)
    assert "hunter2" not in str(caught.value)
    assert caught.value.where == "postgresql+psycopg://noria:***@127.0.0.1:1/noria"


def test_zenml_reads_what_it_is_told() -> None:
    from zenml import constants
    from zenml.config.server_config import ServerConfiguration
    from zenml.zen_stores.secrets_stores.sql_secrets_store import SqlSecretsStoreConfiguration

    known = {value for name, value in vars(constants).items() if name.startswith("ENV_ZENML_")}
    known |= {f"ZENML_SERVER_{field.upper()}" for field in ServerConfiguration.model_fields}
    known |= {f"ZENML_SECRETS_STORE_{field.upper()}" for field in SqlSecretsStoreConfiguration.model_fields}
    known |= {"ZENML_STORE_URL", "HOME"}
    assert set(environment(container_of(example("small"), "noria-zenml"))) <= known


def test_mlflow_reads_what_it_is_told_and_answers_probes() -> None:
    from mlflow import environment_variables
    from mlflow.cli import server
    from mlflow.server import app

    container = container_of(example("small"), "noria-mlflow")
    known = {option.envvar for option in server.params if getattr(option, "envvar", None)}
    known |= {each.name for each in vars(environment_variables).values() if hasattr(each, "name")} | {"HOME"}
    assert set(environment(container)) <= known
    assert set(probes(container).values()) <= {str(rule) for rule in app.url_map.iter_rules()}
    options = {name for option in server.params for name in option.opts}
    assert {arg for arg in container["args"] if arg.startswith("--")} <= options


def test_mlflow_answers_to_the_names_by_which_it_is_called() -> None:
    """It refuses every other one with 403, against DNS rebinding."""
    from fnmatch import fnmatch

    manifests = example("small")
    names = environment(container_of(manifests, "noria-mlflow"))["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    service = named(manifests, "Service", "noria-mlflow")
    port = service["spec"]["ports"][0]["port"]
    for host in (service["metadata"]["name"], "noria-mlflow.ml.svc.cluster.local", "localhost"):
        assert any(fnmatch(f"{host}:{port}", name) for name in names), host
    assert not any(fnmatch(f"evil.example.com:{port}", name) for name in names)


def test_jobs_read_what_they_are_told() -> None:
    """Those variables whose readers are Noria or ZenML; the rest are the stack file's."""
    told = environment(container_of(example("production"), "noria-monitor"))
    files = [*(PROJECT / "noria").rglob("*.py"), *(PROJECT / "app").rglob("*.py"), *(PROJECT / "cli").rglob("*.py")]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    stacks = "".join(file.read_text(encoding="utf-8") for file in (PROJECT / "configs" / "stacks").glob("*.yaml"))
    for variable in told:
        if variable.startswith("NORIA_"):
            assert re.search(rf'"{variable}"', source) or f"env:{variable}}}" in stacks, variable
    assert {"ZENML_STORE_URL", "ZENML_STORE_API_KEY", "NORIA_PREDICTIONS_URL", "NORIA_HOME"} <= set(told)
