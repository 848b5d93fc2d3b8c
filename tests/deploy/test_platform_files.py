"""The files of deploy/compose say what the service and the programs that read them know."""

import json
import re
import secrets
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import service.http.metrics
from app.servers import compose_platform, zenml_server
from app.servers.env_files import read
from app.stacks.definition import read_stack
from noria.system.workspace import PROJECT
from tests.errors_raised import raises

FOLDER = PROJECT / "deploy" / "compose"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
OURS = [name for name, each in SERVICES.items() if "NORIA_" in each["image"]]


def expressions() -> list[str]:
    board = json.loads((FOLDER / "grafana" / "dashboards" / "service.json").read_text())
    rules = yaml.safe_load((FOLDER / "prometheus" / "rules.yml").read_text())
    shown = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return shown + [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Docker passes containers on to 127.0.0.1")
@pytest.mark.parametrize(
    ("told", "address"),
    [
        ('[{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]', "172.17.0.1"),
        ('[{"Subnet": "10.9.8.0/24"}]', "10.9.8.1"),  # an engine that has just made the network
        ('[{"Subnet": "fd00::/64"}, {"Subnet": "172.30.0.0/16", "Gateway": ""}]', "172.30.0.1"),
        ("[]", None),
        ("null", None),
    ],
)
def test_servers_listen_where_containers_reach_this_machine(
    told: str, address: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    monkeypatch.setattr(compose_platform, "docker", lambda *_, **__: told)
    if address is not None:
        assert compose_platform._reachable() == address
        return
    with raises("platform.address_unknown", "BIND=ADDRESS"):
        compose_platform._reachable()


def test_dashboard_and_alerts_ask_for_figures_that_the_service_has() -> None:
    known = {sample.name for metric in REGISTRY.collect() for sample in metric.samples if metric.name[:6] == "noria_"}
    # a figure with labels has no sample before the first request
    for metric in vars(service.http.metrics).values():
        name, kind = getattr(metric, "_name", ""), getattr(metric, "_type", "")
        known |= {f"{name}_total"} if kind == "counter" else {f"{name}_bucket"} if kind == "histogram" else {name}
    asked = {name for expression in expressions() for name in re.findall(r"noria_\w+", expression)}
    assert len(asked) >= 7
    assert asked <= known


def test_labels_in_expressions_are_those_of_the_figures() -> None:
    known = {label for metric in vars(service.http.metrics).values() for label in getattr(metric, "_labelnames", ())}
    given = {"job", "instance", "le"}
    grouped = {
        label for each in expressions() for part in re.findall(r"by \(([^)]*)\)", each) for label in part.split(", ")
    }
    chosen = {label for each in expressions() for label in re.findall(r"(\w+)=~?\"", each)}
    assert grouped | chosen <= known | given


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_privileges(name: str) -> None:
    container = SERVICES[name]
    assert container["user"] == "10001:10001"
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in container["security_opt"]


def test_no_image_is_whatever_is_newest() -> None:
    foreign = [each["image"] for name, each in SERVICES.items() if name not in OURS]
    assert all(re.search(r":[\w.-]*\d", image) for image in foreign)


def test_every_port_is_for_this_machine_unless_one_says_otherwise() -> None:
    ports = [port for each in SERVICES.values() for port in each.get("ports", [])]
    assert ports
    assert all(port.startswith("${BIND:-127.0.0.1}:") for port in ports)


def test_whatever_compose_needs_is_made_once_and_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    monkeypatch.setattr(compose_platform, "_reachable", lambda: "127.0.0.1")
    first = compose_platform._settings()
    needed = set(re.findall(r"\$\{(\w+):\?", (FOLDER / "compose.yaml").read_text()))
    assert needed - {"NORIA_PIPELINE_IMAGE"} <= set(first)  # that one `up` names, after the code
    assert stat.S_IMODE(compose_platform.settings_file().stat().st_mode) == 0o600
    assert compose_platform._settings() == first
    made = [first[name] for name in needed if name.endswith(("TOKEN", "PASSWORD", "SECRET", "KEY"))]
    assert len(set(made)) == len(made) >= 6
    assert all(len(each) >= 32 for each in made)


def test_what_a_person_wrote_into_the_settings_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    compose_platform.settings_file().write_text("BIND=10.0.0.7\nPOSTGRES_IMAGE=mine:1\nDATABASE_PASSWORD=kept\n")
    settings = compose_platform._settings()
    assert (settings["BIND"], settings["POSTGRES_IMAGE"], settings["DATABASE_PASSWORD"]) == (
        "10.0.0.7",
        "mine:1",
        "kept",
    )
    assert "POSTGRES_IMAGE=mine:1" in compose_platform.settings_file().read_text()


def test_the_server_is_set_up_with_the_password_that_the_settings_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def set_up(url: str, output: Path, password: str, others: Mapping[str, str]) -> list[str]:
        given.append(password)
        return []

    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    monkeypatch.setenv(zenml_server.PASSWORD, secrets.token_hex(16))  # of another server
    monkeypatch.setattr(compose_platform, "_reachable", lambda: "127.0.0.1")
    monkeypatch.setattr(compose_platform, "docker", lambda *_, **__: "the image is there")
    monkeypatch.setattr(compose_platform, "compose", lambda *_: None)
    monkeypatch.setattr(compose_platform, "_wait", lambda _: None)
    monkeypatch.setattr(zenml_server, "set_up", set_up)
    compose_platform.start()
    assert given == [read(compose_platform.settings_file())[zenml_server.PASSWORD]]


def test_the_stack_with_the_store_is_the_other_one_but_for_its_artifacts() -> None:
    folder = PROJECT / "configs" / "stacks"
    with_store, without = (read_stack(folder / f"{name}.yaml") for name in ("platform_s3", "platform"))
    assert with_store.noria == without.noria
    for kind in ("orchestrator", "experiment_tracker", "model_registry"):
        assert with_store.components[kind] == without.components[kind]
    [store] = with_store.components["artifact_store"]
    assert set(store.variables) == {f"NORIA_S3_{name}" for name in ("BUCKET", "ENDPOINT", "KEY", "SECRET")}


def test_nothing_but_the_guarded_port_of_the_store_is_in_reach_of_other_containers() -> None:
    assert SERVICES["store"]["networks"] == SERVICES["bucket"]["networks"] == ["store"]
    others = {name for name, each in SERVICES.items() if "store" in each.get("networks", [])} - {"store", "bucket"}
    assert not others
    assert [port.rpartition(":")[2] for port in SERVICES["store"]["ports"]] == ["8333"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool, which comes with Prometheus, is not installed")
def test_prometheus_takes_its_rules() -> None:
    done = subprocess.run(["promtool", "check", "rules", FOLDER / "prometheus" / "rules.yml"], check=False)
    assert done.returncode == 0
