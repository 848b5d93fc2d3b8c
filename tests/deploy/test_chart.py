"""The Helm chart: what it renders is valid, and as strict as it says."""

import json
from collections.abc import Callable
from typing import Any

import helm_python
import kubernetes_validate
import pytest
from rendered import (
    CHART,
    EXAMPLES,
    Manifest,
    container_of,
    containers,
    environment,
    example,
    named,
    of_kind,
    rendered,
    templates,
    values_of,
)

from app.stacks.definition import looks_secret
from noria.config.serving import ServingConfig

_OLDEST, _NEWEST = "1.29", kubernetes_validate.latest_version()
_OF_OTHERS = {"ServiceMonitor"}
"""Kinds of the Prometheus Operator, which the official schemas do not know."""
needs_all_examples = pytest.mark.parametrize("name", EXAMPLES)


@needs_all_examples
@pytest.mark.parametrize("version", [_OLDEST, _NEWEST])
def test_every_manifest_keeps_to_the_official_schema(name: str, version: str) -> None:
    manifests = [each for each in example(name) if each["kind"] not in _OF_OTHERS]
    assert manifests
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


@needs_all_examples
def test_helm_has_nothing_to_say_against_it(name: str) -> None:
    found = helm_python.lint(CHART, values_of(name), strict=True)
    assert not [each for each in found["messages"] if "icon is recommended" not in str(each)], found


@needs_all_examples
def test_no_name_is_given_twice(name: str) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in example(name)]
    assert len(names) == len(set(names))
    assert {each["metadata"]["namespace"] for each in example(name)} == {"ml"}


@needs_all_examples
def test_no_pod_has_a_privilege(name: str) -> None:
    for owner, template in templates(example(name)):
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False, owner
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, owner
        assert pod["securityContext"]["runAsUser"] > 0, owner
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), owner
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume], owner
    for owner, container in containers(example(name)):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }, owner


@needs_all_examples
def test_every_container_has_bounds_and_a_tag_that_stays(name: str) -> None:
    for owner, container in containers(example(name)):
        for bound in ("requests", "limits"):
            assert set(container["resources"][bound]) == {"cpu", "memory"}, owner
        repository, _, tag = container["image"].rpartition(":")
        assert repository, owner
        assert tag not in {"", "latest"}, owner


@needs_all_examples
def test_what_is_written_to_is_mounted(name: str) -> None:
    for owner, template in templates(example(name)):
        volumes = {volume["name"] for volume in template["spec"]["volumes"]}
        for container in template["spec"]["containers"]:
            mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            assert "/tmp" in mounts, owner  # noqa: S108 - in the container
            assert set(mounts.values()) <= volumes | {"data"}, owner
            for variable in ("NORIA_SPOOL_DIR", "NORIA_HOME", "ZENML_CONFIG_PATH", "PGDATA"):
                path = environment(container).get(variable)
                assert path is None or any(path.startswith(mount) for mount in mounts), (owner, variable)


@needs_all_examples
def test_no_secret_is_written_out(name: str) -> None:
    assert not of_kind(example(name), "Secret")
    for owner, container in containers(example(name)):
        for variable, value in environment(container).items():
            if looks_secret(variable) and variable != "ZENML_SECRETS_STORE_TYPE":
                assert "secretKeyRef" in value, (owner, variable)
            elif variable.endswith("_URL") and isinstance(value, str) and "@" in value:
                assert ":${env:" in value, (owner, variable)


@needs_all_examples
def test_selectors_find_the_pods_that_they_mean(name: str) -> None:
    pods = {owner: template["metadata"]["labels"] for owner, template in templates(example(name))}
    for each in of_kind(example(name), "Deployment", "StatefulSet"):
        assert _found(each["spec"]["selector"]["matchLabels"], pods) == {each["metadata"]["name"]}
    for each in of_kind(example(name), "Service"):
        owners = _found(each["spec"]["selector"], pods)
        assert owners == {each["metadata"]["name"].removesuffix("-pods")}
        known = {port["name"] for port in container_of(example(name), *owners)["ports"]}
        assert {port["targetPort"] for port in each["spec"]["ports"]} <= known
    for each in of_kind(example(name), "PodDisruptionBudget"):
        assert _found(each["spec"]["selector"]["matchLabels"], pods) == {"noria-service"}
    for each in of_kind(example(name), "NetworkPolicy"):
        assert _found(each["spec"]["podSelector"]["matchLabels"], pods) == {each["metadata"]["name"]}
    services = {each["metadata"]["name"]: each["metadata"]["labels"] for each in of_kind(example(name), "Service")}
    for each in of_kind(example(name), "ServiceMonitor"):
        assert _found(each["spec"]["selector"]["matchLabels"], services) == {"noria-service"}


def _found(selector: dict[str, str], labelled: dict[str, dict[str, str]]) -> set[str]:
    return {owner for owner, labels in labelled.items() if selector.items() <= labels.items()}


@needs_all_examples
def test_every_pod_is_guarded_from_the_network(name: str) -> None:
    guarded = {each["metadata"]["name"] for each in of_kind(example(name), "NetworkPolicy")}
    assert {owner for owner, _ in templates(example(name))} == guarded


@needs_all_examples
def test_accounts_that_pods_use_are_made_and_have_no_token(name: str) -> None:
    accounts = {each["metadata"]["name"]: each for each in of_kind(example(name), "ServiceAccount")}
    used = {template["spec"]["serviceAccountName"] for _, template in templates(example(name))}
    assert used == {"noria-pods"}
    assert accounts["noria-pods"]["automountServiceAccountToken"] is False


def test_the_orchestrator_has_the_least_rights_and_steps_have_none() -> None:
    manifests = example("small")
    [role] = of_kind(manifests, "Role")
    granted = {resource: set(rule["verbs"]) for rule in role["rules"] for resource in rule["resources"]}
    assert "*" not in {*granted, *(verb for verbs in granted.values() for verb in verbs)}
    assert set(granted) == {"jobs", "pods", "pods/log"}
    assert granted["pods"] == {"get", "list", "watch"}
    assert granted["pods/log"] == {"get"}
    assert {"create", "get", "list", "watch", "delete"} <= granted["jobs"]
    [binding] = of_kind(manifests, "RoleBinding")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "noria-orchestrator", "namespace": "ml"}]
    assert named(manifests, "ServiceAccount", "noria-steps")["automountServiceAccountToken"] is False
    assert not of_kind(manifests, "ClusterRole", "ClusterRoleBinding")


def test_what_is_reached_from_outside_is_there_and_mlflow_knows_its_name() -> None:
    manifests = example("production")
    assert not of_kind(example("small"), "Ingress")
    hosts = {}
    for ingress in of_kind(manifests, "Ingress"):
        [rule] = ingress["spec"]["rules"]
        [path] = rule["http"]["paths"]
        service = named(manifests, "Service", path["backend"]["service"]["name"])
        assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
        assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
        hosts[service["metadata"]["name"]] = rule["host"]
    assert set(hosts) == {"noria-service", "noria-zenml", "noria-mlflow"}
    allowed = environment(container_of(manifests, "noria-mlflow"))["MLFLOW_SERVER_ALLOWED_HOSTS"]
    assert hosts["noria-mlflow"] in allowed.split(",")


def test_a_pod_s_answers_outlive_it() -> None:
    service = named(example("production"), "StatefulSet", "noria-service")["spec"]
    [claim] = service["volumeClaimTemplates"]
    mounts = {each["name"]: each["mountPath"] for each in service["template"]["spec"]["containers"][0]["volumeMounts"]}
    spool = environment(service["template"]["spec"]["containers"][0])["NORIA_SPOOL_DIR"]
    assert spool.startswith(mounts[claim["metadata"]["name"]])
    assert service["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_without_volumes_a_new_pod_is_ready_before_an_old_one_goes() -> None:
    service = named(example("external"), "Deployment", "noria-service")["spec"]
    assert service["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}} in service["template"]["spec"]["volumes"]


@pytest.mark.parametrize("persistent", [True, False])
def test_a_pod_answers_on_while_it_is_taken_out(persistent: bool) -> None:
    [(_, template)] = templates(rendered(_small(service={"spool": {"persistent": persistent}}, only_service=True)))
    pod = template["spec"]
    slept = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert 5 <= slept < pod["terminationGracePeriodSeconds"] - 10


def test_the_scaler_and_the_workload_do_not_fight_over_replicas() -> None:
    manifests = example("production")
    [scaler] = of_kind(manifests, "HorizontalPodAutoscaler")
    target = scaler["spec"]["scaleTargetRef"]
    scaled = named(manifests, target["kind"], target["name"])
    assert "replicas" not in scaled["spec"]
    by = [metric["type"] for metric in scaler["spec"]["metrics"]]
    assert by == ["Resource", "Pods"]
    assert named(example("small"), "StatefulSet", "noria-service")["spec"]["replicas"] == 1


def test_settings_of_the_service_arrive_as_it_reads_them() -> None:
    told = environment(container_of(example("production"), "noria-service"))
    serving = ServingConfig.model_validate_json(told["NORIA_SERVING"])
    assert serving.spool.durability == "strict"
    assert serving.privacy.hash == ["customer_id"]
    assert json.loads(told["NORIA_SERVING"]) == values_of("production")["service"]["serving"]


def test_jobs_run_the_command_line_as_it_is(command: Callable[..., Any]) -> None:
    manifests = example("production")
    for owner, words in (
        ("noria-monitor", {"monitor"}),
        ("noria-watch", {"watch", "--once"}),
        ("noria-batch", {"predict", "--input", "--output"}),
    ):
        container = container_of(manifests, owner)
        said = [*container["command"], *container["args"]]
        assert said[:2] == ["python", "run.py"]
        assert words <= set(said)
        shown = command(said[2], "--help").out
        assert all(option in shown for option in said if option.startswith("--"))


def test_use_cases_written_in_the_values_are_mounted() -> None:
    values = values_of("external") | {"pipelines": {"image": {"repository": "r/p", "tag": "3"}}}
    values["pipelines"]["useCases"] = {"bikes.yaml": "name: bikes\n"}
    manifests = rendered(values)
    assert named(manifests, "ConfigMap", "noria-use-cases")["data"] == {"bikes.yaml": "name: bikes\n"}
    mounts = container_of(manifests, "noria-batch")["volumeMounts"]
    assert {"name": "use-cases", "mountPath": "/use-cases", "readOnly": True} in mounts


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"service": {"image": {"tag": ""}}}, "service.image.tag is not set"),
        ({"service": {"image": {"tag": "latest"}}}, "/service/image/tag"),
        ({"servise": {}}, "servise"),
        ({"service": {"replicas": 0}}, "/service/replicas"),
        ({"service": {"resources": {"limits": {"cpu": "lots"}}}}, "/service/resources/limits/cpu"),
        ({"postgresql": {"enabled": False}}, "predictions would be kept nowhere"),
        ({"monitor": {"enabled": True}, "zenml": {"enabled": False}}, "needs a ZenML server"),
        ({"monitor": {"enabled": True}}, "monitor.useCase is not set"),
        ({"batch": {"enabled": True, "useCase": "x.yaml"}}, "batch.claim is not set"),
        ({"service": {"autoscaling": {"enabled": True, "cpuPercent": 0}}}, "says by what"),
    ],
)
def test_values_that_would_not_work_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(helm_python.HelmError, match=said):
        rendered(_small(**values))


def _small(*, only_service: bool = False, **changes: Any) -> dict[str, Any]:
    values = values_of("small") | {"pipelines": {"image": {"repository": "r/pipeline", "tag": "1"}}}
    if only_service:
        values = {"service": values["service"], "predictions": {"urlSecret": "db"}}
    return _merged(values, changes)


def _merged(values: Manifest, changes: Manifest) -> Manifest:
    found = dict(values)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _merged(found[key], value) if both else value
    return found
