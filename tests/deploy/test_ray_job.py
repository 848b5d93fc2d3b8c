"""The Ray cluster of a training: pods that Kubernetes takes, without a privilege, with the Ray that is locked."""

import re
import shlex
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from noria.system.workspace import PROJECT

JOB: dict[str, Any] = yaml.safe_load((PROJECT / "deploy" / "ray" / "rayjob.yaml").read_text(encoding="utf-8"))
CLUSTER = JOB["spec"]["rayClusterSpec"]
PODS = {"head": CLUSTER["headGroupSpec"], **{group["groupName"]: group for group in CLUSTER["workerGroupSpecs"]}}


@pytest.mark.parametrize("name", PODS)
@pytest.mark.parametrize("version", ["1.29", kubernetes_validate.latest_version()])
def test_every_pod_keeps_to_the_official_schema(name: str, version: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": PODS[name]["template"]["spec"]}
    kubernetes_validate.validate(pod, version, strict=True)


@pytest.mark.parametrize("name", PODS)
def test_no_pod_has_a_privilege(name: str) -> None:
    pod = PODS[name]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        may = container["securityContext"]
        assert (may["allowPrivilegeEscalation"], may["readOnlyRootFilesystem"]) == (False, True)
        assert may["capabilities"] == {"drop": ["ALL"]}
        written = {each["mountPath"] for each in container["volumeMounts"]}
        assert all(str(each["value"]).startswith(tuple(written)) for each in container["env"] if "/" in each["value"])


def test_ray_is_the_one_that_the_image_holds_and_wants_a_token() -> None:
    locked = re.search(r"^ray==([\d.]+)", (PROJECT / "requirements-ray.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert locked is not None
    assert CLUSTER["rayVersion"] == locked[1]
    assert CLUSTER["authOptions"] == {"mode": "token"}


def test_the_command_is_one_of_ours() -> None:
    python, script, *arguments = shlex.split(JOB["spec"]["entrypoint"])
    assert (python, script) == ("python", "run.py")
    assert CliRunner().invoke(app, [*arguments, "--help"]).exit_code == 0
    assert CliRunner().invoke(app, [*arguments, "--no-such-option", "--help"]).exit_code != 0
    stack = arguments[arguments.index("--stack") + 1]
    assert (PROJECT / "configs" / "stacks" / f"{stack}.yaml").exists()
