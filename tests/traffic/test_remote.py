"""`status`, `stop`, `traffic`, `promote` and `rollback` where the service runs on a cluster or in Compose.

Helm, kubectl, Docker and Compose are programs that log their arguments and print what a test sets; the service that is
asked over HTTP is a real one.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.servers import compose_platform
from app.serving import kubernetes_rollout
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment import start_or_roll, stop
from noria.deployment.service_secrets import TOKENS
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from noria.traffic.activation import PlannedVariant, TrafficPlan
from service.bento_build import build_bento
from tests.bundles import changed, churn, make
from tests.conftest import Command
from tests.service.serving import free_port
from tests.small_cases import write_config

pytestmark = pytest.mark.e2e
SECRET = {name: name.lower() + "-of-the-test" for name in TOKENS}
CLUSTER = {"NORIA_KUBERNETES_CONTEXT": "production", "NORIA_KUBERNETES_NAMESPACE": "ml"}
PROGRAM = """#!/bin/sh
printf '%s\\n' "$(basename "$0") $*" >> "{folder}/asked"
for word in "$@"; do
  [ -f "{folder}/$(basename "$0").$word.fails" ] && {{ cat "{folder}/$(basename "$0").$word.fails" >&2; exit 1; }}
  [ -f "{folder}/$(basename "$0").$word.ends" ] && {{ cat "{folder}/$(basename "$0").$word.ends"; exit 2; }}
  [ -f "{folder}/$(basename "$0").$word" ] && {{ cat "{folder}/$(basename "$0").$word"; exit 0; }}
done
exit 0
"""
LABELS = {"app.kubernetes.io/instance": "noria", "app.kubernetes.io/component": "service"}
WAITS = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}, "restartCount": 3}
REVISION = {"revision": 7, "updated": "2026-11-22T10:00:00.1Z", "status": "deployed", "description": "Upgrade complete"}


def pod(number: int, *, ready: bool) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": str(ready)}], "containerStatuses": []}
    status["containerStatuses"] = [{"state": {"running": {}}, "restartCount": 1}] if ready else [WAITS]
    return {"kind": "Pod", "metadata": {"name": f"noria-service-{number}", "labels": LABELS}, "status": status}


def workload(kind: str, image: str) -> dict[str, Any]:
    spec = {"replicas": 2, "template": {"spec": {"containers": [{"image": image}]}}}
    status = {"readyReplicas": 1, "updatedReplicas": 1}
    return {"kind": kind, "metadata": {"name": "noria-service", "labels": LABELS}, "spec": spec, "status": status}


def other(component: str) -> dict[str, Any]:
    labels = LABELS | {"app.kubernetes.io/component": component}
    return {"kind": "StatefulSet", "metadata": {"name": f"noria-{component}", "labels": labels}}


class Programs:
    """Stand-ins for the programs, and the commands they were given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def set_output(self, which: str, output: object) -> None:
        """`program.word`: what the program prints when that word is among its arguments."""
        (self._folder / which).write_text(output if isinstance(output, str) else json.dumps(output))

    def cluster(self, image: str = "registry/noria-telco_churn:3-0a1b", kind: str = "StatefulSet") -> None:
        self.set_output("helm.history", [REVISION])
        items = [workload(kind, image), pod(0, ready=True), pod(1, ready=False), other("postgresql"), other("zenml")]
        self.set_output("kubectl.get", {"items": items})

    @property
    def commands(self) -> list[str]:
        file = self._folder / "asked"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("helm", "kubectl", "docker"):
        (folder / name).write_text(PROGRAM.format(folder=folder))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for name, value in CLUSTER.items():
        monkeypatch.setenv(name, value)
    return Programs(folder)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> UseCase:
    return changed(churn().use_case, serving={"port": free_port(), "host": "127.0.0.1"})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("remote")


@pytest.fixture(scope="module")
def far(case: UseCase, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A real service, started in a workspace of its own, that the tests know by its address only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(tmp_path_factory.mktemp("far")))
        for name, value in SECRET.items():
            patch.setenv(name, value)
        workspace, bundle = Workspace(case.name), make(churn(), "xgboost", home / "bundle", version="3")
        start_or_roll(case, workspace, build_bento(bundle, workspace), bundle)
        yield workspace
        assert stop(workspace)


@pytest.fixture
def url(far: Workspace, case: UseCase) -> str:
    return f"http://127.0.0.1:{case.serving.port}"


@pytest.fixture
def config(case: UseCase, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "here"))
    for name in TOKENS:
        monkeypatch.delenv(name, raising=False)
    return write_config(case, tmp_path / "case.yaml")


@pytest.fixture
def on(command: Command, config: Path) -> Callable[..., Any]:
    """A command about the use case on a stack."""
    return lambda name, stack, *more: command(name, "--config", config, "--stack", stack, *more)


def test_status_on_a_cluster_shows_the_release_its_pods_and_what_the_service_says(
    on: Any, programs: Programs, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.cluster()
    monkeypatch.setenv("NORIA_SERVICE_URL", url)
    monkeypatch.setenv("NORIA_PREDICT_TOKEN", SECRET["NORIA_PREDICT_TOKEN"])
    ended = on("status", "kubernetes")
    assert ended.code == 0, ended.err
    for part in (
        "1 of 2 pods are ready in namespace `ml`",
        "revision 7, deployed at 2026-11-22 10:00:00: Upgrade complete",
        "registry/noria-telco_churn:3-0a1b",
        "1 of 2 ready, 1 with the newest image, 4 restarts",
        "ImagePullBackOff: Back-off",
        f"{url}, ready",
        "3 (xgboost), since",
        "100.0% of the cases, version 3, policy 1: threshold",
        "requests",
        "spool",
    ):
        assert part in ended.out
    assert "not deployed" not in ended.out
    last = {line.split(" ")[0]: line for line in programs.commands}
    assert "--kube-context production --namespace ml" in last["helm"]
    assert "--context production --namespace ml get" in last["kubectl"]


def test_status_says_what_the_service_does_not_tell(on: Any, programs: Programs, url: str) -> None:
    programs.cluster()
    assert "name its address with --url" in on("status", "kubernetes").out
    without_token = on("status", "kubernetes", "--url", url).out
    assert "refuses (401)" in without_token and "NORIA_PREDICT_TOKEN in the environment" in without_token
    nobody = on("status", "kubernetes", "--url", "http://127.0.0.1:1").out
    assert "not ready: the service cannot be reached" in nobody
    for ended in (without_token, nobody):
        assert SECRET["NORIA_PREDICT_TOKEN"] not in ended


def test_a_cluster_without_the_release_or_that_does_not_answer(on: Any, programs: Programs) -> None:
    programs.set_output("helm.history.fails", "Error: release: not found\n")
    ended = on("status", "kubernetes")
    assert (ended.code, "is not deployed: there is no release `noria` in namespace `ml`" in ended.out) == (0, True)
    assert "there is no release" in on("stop", "kubernetes", "--yes").out
    refused = on("rollback", "kubernetes")
    assert (refused.code, "python run.py deploy" in refused.err) == (2, True)
    programs.set_output("helm.history.fails", "Error: Kubernetes cluster unreachable: dial tcp: no route\n")
    failed = on("status", "kubernetes")
    assert (failed.code, "cluster unreachable" in failed.err, "not deployed" in failed.out) == (2, True, False)


def test_a_release_goes_only_when_it_is_confirmed_and_claims_stay(on: Any, programs: Programs) -> None:
    programs.cluster()
    refused = on("stop", "kubernetes")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert not [line for line in programs.commands if "uninstall" in line]
    done = on("stop", "kubernetes", "--yes")
    assert done.code == 0, done.err
    assert "Claims stay, and with them every answer that still waits" in done.out
    assert "kubectl --context production --namespace ml get persistentvolumeclaims" in done.out
    [uninstalled] = [line for line in programs.commands if "uninstall" in line]
    assert "helm uninstall noria" in uninstalled and "--kube-context production --namespace ml" in uninstalled


def test_whoever_confirms_knows_what_goes(
    on: Any, programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.cluster(kind="Deployment")
    context = {"name": "production", "context": {"cluster": "it"}}
    known = {"contexts": [context], "clusters": [{"name": "it", "cluster": {"server": "https://10.0.0.1:6443"}}]}
    (tmp_path / "config").write_text(json.dumps(known))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("rich.console.Console.input", lambda *_: "n")
    refused = on("stop", "kubernetes")
    assert (refused.code, "it was not confirmed" in refused.err) == (2, True)
    assert "with the service (registry/noria-telco_churn:3-0a1b), and with it postgresql, zenml" in refused.err
    assert "of context `production` (https://10.0.0.1:6443)" in refused.err, "a context is only a name"
    assert "what the store does not take is LOST" in refused.err
    monkeypatch.setattr("rich.console.Console.input", lambda *_: "y")
    assert on("stop", "kubernetes").code == 0


def test_on_a_cluster_helm_goes_back_and_another_policy_is_refused(on: Any, programs: Programs, url: str) -> None:
    programs.cluster()
    back = on("rollback", "kubernetes")
    assert back.code == 0, back.err
    assert "promote --version" in back.out
    [rolled_back] = [line for line in programs.commands if "rollback" in line]
    assert rolled_back.startswith("helm rollback noria --wait")
    refused = on("traffic", "kubernetes", "--url", url, "--threshold", "0.4")
    assert (refused.code, "who answers is in the image that every pod runs" in refused.err) == (2, True)
    assert "python run.py deploy" in refused.err


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize(
    "example",
    [
        "--canary challenger → champion 0.99 (version 3), challenger 0.01 (version 4)",
        "--set challenger=0.3 → champion 0.7 (version 3), challenger 0.3 (version 4)",
        "--shadow challenger → champion 1 (version 3), challenger as a shadow (version 4)",
        "--set challenger=0 → champion 1 (version 3).",
    ],
)
def test_on_a_cluster_other_traffic_is_another_image(
    on: Any, programs: Programs, home: Path, monkeypatch: pytest.MonkeyPatch, example: str
) -> None:
    options, _, headline = example.partition(" → ")
    programs.cluster()
    monkeypatch.setenv("NORIA_REGISTRY", "registry.example.com/team")
    rival = home / "rival"
    bundle = Bundle.open(rival) if rival.exists() else make(churn(), "linear", rival, version="4")
    champion = PlannedVariant(name="champion", bundle=home / "bundle", version="3", share=0.9)
    challenger = PlannedVariant(name="challenger", bundle=bundle.folder, version="4", share=0.1)
    monkeypatch.setattr(kubernetes_rollout, "champion_plan", lambda *_: TrafficPlan(variants=[champion, challenger]))
    done = on("traffic", "kubernetes", *options.split())
    assert (done.code, headline in done.out) == (0, True), done.err
    built, pushed, upgraded = [
        line for line in programs.commands if any(f" {w} " in line for w in ("build", "push", "upgrade"))
    ]
    tag = pushed.rpartition(":")[2]
    assert f":{tag} " in built and f"service.image.tag={tag}" in upgraded
    assert "helm rollback noria --namespace ml" in done.out


def test_traffic_shows_who_answers_on_a_cluster(
    on: Any, programs: Programs, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.cluster()
    assert "--url" in on("traffic", "kubernetes").err
    monkeypatch.setenv("NORIA_PREDICT_TOKEN", SECRET["NORIA_PREDICT_TOKEN"])
    assert "variant champion" in on("traffic", "kubernetes", "--url", url).out


def test_the_stack_in_use_decides_where_to_look(
    command: Command, config: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.cluster()
    monkeypatch.setattr("app.stacks.active_stack._in_use", lambda: "kubernetes")
    assert "1 of 2 pods are ready" in command("status", "--config", config).out
    assert "--yes" in command("stop", "--config", config).err
    assert "is not deployed on this machine" in command("status", "--config", config, "--stack", "local").out


@pytest.mark.parametrize("name", ["status", "traffic"])
def test_an_address_for_a_service_of_this_machine_is_refused(on: Any, name: str) -> None:
    ended = on(name, "local", "--url", "http://127.0.0.1:1")
    assert (ended.code, "serves on this machine" in ended.err) == (2, True)


@pytest.fixture
def composed(config: Path, programs: Programs, url: str, case: UseCase) -> Programs:
    """A platform whose container `service` is, as far as HTTP goes, the real service."""
    settings = {
        "BIND": "127.0.0.1",
        "SERVICE_PORT": case.serving.port,
        compose_platform.SERVICE_IMAGE: "noria-telco_churn:3-0a1b",
    }
    compose_platform.settings_file().write_text(
        "".join(f"{name}={value}\n" for name, value in {**settings, **SECRET}.items())
    )
    programs.set_output("docker.ps", "0123abc\n")
    state = {"Status": "running", "Health": {"Status": "healthy"}, "StartedAt": "2026-11-22T10:00:00.1Z"}
    container = {"Name": "/noria_service_1", "Config": {"Image": "noria-telco_churn:3-0a1b"}, "RestartCount": 2}
    programs.set_output("docker.inspect", [container | {"State": state}])
    return programs


def test_status_in_compose_shows_the_container_and_what_the_service_says(on: Any, composed: Programs, url: str) -> None:
    ended = on("status", "platform")
    assert ended.code == 0, ended.err
    for part in (
        "is running",
        "says healthy, 2 restarts",
        "noria-telco_churn:3-0a1b",
        f"{url}, ready",
        "3 (xgboost)",
        "champion",
    ):
        assert part in ended.out
    assert not any(token in ended.out + ended.err for token in SECRET.values())


def test_compose_changes_a_policy_and_refuses_another_variant(on: Any, composed: Programs, url: str) -> None:
    done = on("traffic", "platform", "--threshold", "0.9")
    assert (done.code, "threshold 0.9" in done.out) == (0, True), done.err
    admin = {"Authorization": f"Bearer {SECRET['NORIA_ADMIN_TOKEN']}"}
    until = time.monotonic() + 10
    while (champion := httpx.get(f"{url}/traffic", headers=admin).json()["variants"][0])["policy"]["threshold"] != 0.9:
        assert time.monotonic() < until, champion  # workers look for a new plan five times a second
        time.sleep(0.1)
    refused = on("traffic", "platform", "--set", "challenger=0.1")
    assert (refused.code, "challenger" in refused.err) == (2, True)
    shadow = on("traffic", "platform", "--shadow", "rules")
    assert (shadow.code, "what is in its image" in shadow.err) == (2, True)


def test_compose_goes_back_to_the_image_before_and_stops(on: Any, composed: Programs) -> None:
    assert "nothing to take back" in on("rollback", "platform").err
    with compose_platform.settings_file().open("a") as file:
        file.write(f"{compose_platform.IMAGE_BEFORE}=noria-telco_churn:2-0a1b\n")
    back = on("rollback", "platform")
    assert back.code == 0, back.err
    assert compose_platform.known_settings()[compose_platform.SERVICE_IMAGE] == "noria-telco_churn:2-0a1b"
    assert compose_platform.known_settings()[compose_platform.IMAGE_BEFORE] == "noria-telco_churn:3-0a1b"
    assert on("stop", "platform").code == 2
    done = on("stop", "platform", "--yes")
    assert (done.code, "Its volume stays" in done.out) == (0, True)
    assert "rm --stop --force service" in composed.commands[-1]


def image_before(composed: Programs) -> None:
    with compose_platform.settings_file().open("a") as file:
        file.write(f"{compose_platform.IMAGE_BEFORE}=noria-telco_churn:2-0a1b\n")


def test_compose_keeps_the_container_if_the_image_cannot_start(on: Any, composed: Programs) -> None:
    image_before(composed)
    before = compose_platform.known_settings()
    refusal = NoriaError("the token is none", code="service.token_weak", where="NORIA_ADMIN_TOKEN", fix="make one")
    composed.set_output("docker.run.ends", {"error": str(refusal)})
    refused = on("rollback", "platform")
    assert (refused.code, "service.token_weak" in refused.err) == (2, True), refused.err
    assert not [each for each in composed.commands if " up " in each]
    assert compose_platform.known_settings() == compose_platform.known_settings() | before


def test_compose_puts_the_image_back_whose_successor_ends(
    on: Any, composed: Programs, case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_before(composed)
    monkeypatch.setattr(compose_platform, "_POLL_S", 0.01)
    settings = compose_platform.known_settings() | {"SERVICE_PORT": str(free_port())}
    compose_platform.settings_file().write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    composed.set_output("docker.inspect", [{"Id": "0123abc", "State": {"Status": "exited"}, "RestartCount": 0}])
    composed.set_output("docker.logs", "a line\n[predictions.url_missing] no place is named | where: X | fix: set it\n")
    refused = on("rollback", "platform")
    assert (refused.code, "predictions.url_missing" in refused.err) == (2, True), refused.err
    assert compose_platform.known_settings()[compose_platform.SERVICE_IMAGE] == "noria-telco_churn:3-0a1b"
    assert compose_platform.known_settings()[compose_platform.IMAGE_BEFORE] == "noria-telco_churn:2-0a1b"


def test_where_there_never_was_a_platform_nothing_is_made(on: Any, programs: Programs) -> None:
    ended = on("status", "platform")
    assert (ended.code, "is not deployed: there is no container `service`" in ended.out) == (0, True)
    assert not compose_platform.settings_file().exists()
    assert "make platform" in on("deploy", "platform").err
