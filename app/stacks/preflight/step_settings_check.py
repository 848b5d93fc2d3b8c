"""The preflight of what single steps are asked to run with: is it granted, and does the stack have all it takes?"""

from collections.abc import Iterator
from typing import Any

from app.stacks.definition import Component, PreflightFinding, StackFile, StepResources

_GRANTING = {("orchestrator", "kubernetes"), ("orchestrator", "local_docker"), ("orchestrator", "vertex")}
_GRANTING |= {("step_operator", "kubernetes")}
_BY_MACHINE = {
    "sagemaker": "instance_type: ml.m5.xlarge",
    "azureml": "size: Standard_DS3_v2",
    "vertex": "custom_job_parameters: {machine_type: n1-standard-8}",
}


def steps_findings(stack: StackFile, client: Any) -> Iterator[PreflightFinding]:
    """What of the section `noria` would be passed over or refused when a pipeline runs."""
    yield from _granted("noria.resources", stack.orchestrator, stack.noria.resources)
    for name, step in stack.noria.steps.items():
        runner = stack.runner(step)
        yield from _granted(f"noria.steps.{name}.resources", runner, step.resources)
        yield from _settings(f"noria.steps.{name}.settings", runner, step.settings, client)
    for operator in stack.components.get("step_operator", []):
        lacking = [kind for kind in ("container_registry", "image_builder") if kind not in stack.components]
        if lacking:
            yield PreflightFinding(
                f"{operator.title} cannot do without {' and '.join(lacking)}",
                "name what is missing in the file; an image_builder of flavor `local` will do",
            )


def _granted(key: str, runner: Component, asked: StepResources) -> Iterator[PreflightFinding]:
    if asked == StepResources() or (runner.type, runner.flavor) in _GRANTING:
        return
    if runner.flavor == "local":
        yield PreflightFinding(
            f"{key}: the steps run in the process of this machine, which takes what it needs", f"drop `{key}`"
        )
        return
    example = _BY_MACHINE.get(runner.flavor, "…")
    yield PreflightFinding(
        f"{key}: `{runner.flavor}` passes over processors and memory",
        f"ask for a machine instead, in the {runner.type}'s configuration or as noria.steps.NAME.settings: {example}",
    )


def _settings(key: str, runner: Component, given: dict[str, Any], client: Any) -> Iterator[PreflightFinding]:
    from pydantic import ValidationError
    from zenml.stack import Flavor

    try:
        kind = _settings_class(Flavor.from_model(client.get_flavor_by_name_and_type(runner.flavor, runner.type)))
    except (KeyError, ImportError):  # reported with the component
        return
    for unknown in sorted(set(given) - set(kind.model_fields if kind else ())):
        yield PreflightFinding(f"{key}: `{runner.flavor}` has no setting `{unknown}` of a step", "correct its name")
        return
    try:
        _ = kind and kind(**{name: value for name, value in given.items() if "${env:" not in str(value)})
    except ValidationError as error:
        first = error.errors()[0]
        yield PreflightFinding(f"{key}: `{'.'.join(map(str, first['loc']))}`: {first['msg']}", "correct its value")


def _settings_class(flavor: Any) -> Any:
    """What of a component's configuration may be said for a single step; None: nothing."""
    from zenml.config.base_settings import BaseSettings
    from zenml.stack import StackComponentConfig

    known = flavor.config_class.__mro__
    return next(
        (
            each
            for each in known
            if issubclass(each, BaseSettings)
            and each is not BaseSettings
            and not issubclass(each, StackComponentConfig)
        ),
        None,
    )
