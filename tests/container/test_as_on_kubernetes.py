"""The container as the chart's manifest runs it: user, root filesystem, volumes, variables, probes, the way it ends."""

import secrets
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from docker_engine import Container, address, docker

from noria.client import Client
from noria.system.workspace import PROJECT

sys.path.append(str(PROJECT / "tests" / "deploy"))
from rendered import Manifest, environment, example, templates

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def pod() -> Manifest:
    """The pod of the service; its predictions go to PostgreSQL."""
    found: Manifest = next(template for owner, template in templates(example("small")) if owner == "noria-service")
    return found["spec"]


@pytest.fixture(scope="module")
def running(pod: Manifest, image: str) -> Iterator[Container]:
    name, container = f"noria-kube-{secrets.token_hex(4)}", pod["containers"][0]
    told = {name: _told(name, value) for name, value in environment(container).items()}
    told["NORIA_PREDICTIONS_URL"] = "sqlite:////data/predictions.db"
    arguments = [*_strict(pod), *(part for each, value in told.items() for part in ("--env", f"{each}={value}"))]
    docker("run", "--detach", "--name", name, "--publish", "127.0.0.1:0:3000", *arguments, image)
    try:
        yield Container(name, address(name), told)
    finally:
        docker("rm", "--force", "--volumes", name, check=False)


def _told(name: str, value: Any) -> str:
    return value if isinstance(value, str) else f"{name}-{secrets.token_hex(8)}"


def _strict(pod: Manifest) -> list[str]:
    """What the security contexts and volumes mean to Docker."""
    container = pod["containers"][0]
    context, limits = container["securityContext"], container["resources"]["limits"]
    found = ["--user", f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"]
    found += ["--read-only"] * context["readOnlyRootFilesystem"]
    found += [part for each in context["capabilities"]["drop"] for part in ("--cap-drop", each)]
    found += ["--security-opt", "no-new-privileges"] * (not context["allowPrivilegeEscalation"])
    found += ["--memory", limits["memory"].replace("i", "").lower(), "--cpus", str(limits["cpu"])]
    in_memory = {each["name"] for each in pod["volumes"] if each.get("emptyDir", {}).get("medium") == "Memory"}
    for mount in container["volumeMounts"]:
        found += ["--tmpfs" if mount["name"] in in_memory else "--volume", mount["mountPath"]]
    return found


def probe(running: Container, pod: Manifest, kind: str) -> int:
    asked = pod["containers"][0][kind]
    try:
        path, within_s = asked["httpGet"]["path"], asked["timeoutSeconds"]
        return httpx.get(running.url + path, timeout=within_s, trust_env=False).status_code
    except httpx.HTTPError:
        return 0


def test_it_starts_within_its_probe_s_patience_and_answers_all_probes(running: Container, pod: Manifest) -> None:
    startup = pod["containers"][0]["startupProbe"]
    until = time.monotonic() + startup["periodSeconds"] * startup["failureThreshold"]
    while probe(running, pod, "startupProbe") != 200:
        assert time.monotonic() < until, running.log()
        assert running.state()["Running"], running.log()
        time.sleep(startup["periodSeconds"])
    assert probe(running, pod, "readinessProbe") == 200
    assert probe(running, pod, "livenessProbe") == 200


def test_its_tokens_hold_and_answers_are_kept_in_the_volume(running: Container) -> None:
    token = running.tokens["NORIA_PREDICT_TOKEN"]
    model = httpx.get(f"{running.url}/model", headers={"Authorization": f"Bearer {token}"}, trust_env=False).json()
    with Client(running.url, token=token) as client:
        answer = client.predict(model["examples"][:1])[0]
    assert answer.id
    kept = running.python("import json, os; print(json.dumps(sorted(os.listdir('/data/spool'))))")
    assert any(file.endswith(".segment") for file in kept)
    with Client(running.url) as stranger:
        assert stranger.ready()
    assert httpx.post(f"{running.url}/predict", json={"rows": []}, trust_env=False).status_code == 401


def test_it_waits_as_the_manifest_says_and_ends_by_itself(running: Container, pod: Manifest) -> None:
    waits = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert docker("exec", running.name, waits[0], "0", check=False).returncode == 0, "the image has no such command"
    left = pod["terminationGracePeriodSeconds"] - int(waits[1])
    began = time.monotonic()
    docker("stop", "--time", str(left), running.name)
    assert time.monotonic() - began < left
    assert running.state()["ExitCode"] == 0, running.log()
