"""The stacks of the clouds: settings that flavors have, bounded costs, and locks with all that ZenML asks for."""

import re
from typing import Any

import pytest

from app.stacks.definition import Component, StackFile, read_stack
from noria.config.load import ENVIRONMENT_VARIABLE
from noria.system.workspace import PROJECT

CLOUDS = ("aws", "azure", "gcp")
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)(?: ; (.*?))? *\\?$", re.M)


def stack(cloud: str) -> StackFile:
    return read_stack(PROJECT / "configs" / "stacks" / f"{cloud}.yaml")


def config_class(component: Component) -> Any:
    from zenml.stack.flavor_registry import FlavorRegistry

    known = [*FlavorRegistry().builtin_flavors, *FlavorRegistry().integration_flavors]
    found = [each() for each in known]
    (flavor,) = (each for each in found if (each.name, each.type.value) == (component.flavor, component.type))
    return flavor.config_class


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_setting_is_one_that_the_flavor_has(cloud: str) -> None:
    for component in stack(cloud).members:
        kind = config_class(component)
        assert not component.configuration.keys() - kind.model_fields.keys(), component.title
        kind(**component.filled(dict.fromkeys(component.variables, "https://x")) | _with_shape(component))


def _with_shape(component: Component) -> dict[str, Any]:
    """What a flavor looks at more closely than any text would bear."""
    return {"uri": "1.dkr.ecr.x.amazonaws.com"} if component.type == "container_registry" else {}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_image_is_named_by_whoever_built_it(cloud: str) -> None:
    assert ENVIRONMENT_VARIABLE.fullmatch(stack(cloud).noria.image or "")


def test_costs_are_bounded() -> None:
    aws = stack("aws").orchestrator.configuration
    assert aws["max_runtime_in_seconds"] <= 3600
    assert aws["keep_alive_period_in_seconds"] is None
    assert aws["estimator_args"]["use_spot_instances"] is True
    assert aws["estimator_args"]["max_wait"] >= aws["max_runtime_in_seconds"]  # otherwise SageMaker refuses it
    azure = stack("azure").orchestrator.configuration
    assert (azure["min_instances"], azure["tier"]) == (0, "low_priority")
    assert azure["max_instances"] <= 2
    google = stack("gcp").orchestrator.configuration["custom_job_parameters"]["additional_training_job_args"]
    assert (google["strategy"], google["timeout"]) == ("SPOT", "3600s")


@pytest.mark.parametrize(("cloud", "integrations"), [("aws", ("aws", "s3")), ("azure", ("azure",)), ("gcp", ("gcp",))])
def test_the_lock_holds_all_that_zenml_asks_for(cloud: str, integrations: tuple[str, ...]) -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name
    from zenml.integrations.registry import integration_registry

    lock = (PROJECT / f"requirements-{cloud}.lock").read_text(encoding="utf-8")
    pins: dict[str, set[str]] = {}
    for name, number, _ in _PIN.findall(lock):
        pins.setdefault(canonicalize_name(name), set()).add(number)
    for integration in integrations:
        for asked in map(Requirement, integration_registry.integrations[integration].get_requirements()):
            held = pins[canonicalize_name(asked.name)]
            assert all(asked.specifier.contains(each) for each in held), f"{asked}: {held}"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_lock_holds_the_default_versions_but_for_a_few(cloud: str) -> None:
    default, own = (dict(_versions(name)) for name in ("requirements.lock", f"requirements-{cloud}.lock"))
    changed = {name for name, number in default.items() if own.get(name) != number}
    assert len(changed) <= 5
    assert not changed & {"zenml", "mlflow", "scikit-learn", "xgboost", "pandas", "onnxruntime", "skops", "pyarrow"}


def _versions(lock: str) -> list[tuple[str, str]]:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    return [(name, number) for name, number, _ in _PIN.findall(text)]
