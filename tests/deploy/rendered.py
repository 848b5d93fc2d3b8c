"""The chart as Helm's own library renders it."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import helm_python
import yaml

from noria.system.workspace import PROJECT

CHART = PROJECT / "deploy" / "kubernetes"
EXAMPLES = sorted(file.stem for file in (CHART / "values").glob("*.yaml"))
Manifest = dict[str, Any]


@cache
def example(name: str) -> list[Manifest]:
    """All that `helm install --values values/NAME.yaml` would send."""
    return rendered(values_of(name))


def values_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHART / "values" / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def rendered(values: dict[str, Any]) -> list[Manifest]:
    """All that would be sent with these values over the defaults."""
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(values, name="noria", namespace="ml")
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    return next(each for each in of_kind(manifests, kind) if each["metadata"]["name"] == name)


def templates(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Every pod's template with the name of what makes it."""
    for each in of_kind(manifests, "Deployment", "StatefulSet", "CronJob"):
        spec = each["spec"]["jobTemplate"]["spec"] if each["kind"] == "CronJob" else each["spec"]
        yield each["metadata"]["name"], spec["template"]


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for name, template in templates(manifests):
        spec = template["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            yield f"{name}/{container['name']}", container


def environment(container: Manifest) -> dict[str, Any]:
    """Name → value, or where it comes from."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container.get("env", [])}


def container_of(manifests: list[Manifest], owner: str) -> Manifest:
    return next(container for name, container in containers(manifests) if name.startswith(f"{owner}/"))
