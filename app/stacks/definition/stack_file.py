"""A stack as a file, in the form that `zenml stack export` writes and `zenml stack import` reads."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from app.stacks.definition.secret_values import leaves, looks_secret, only_referenced
from app.stacks.definition.step_settings import StepConfig, StepsConfig, filled
from noria.config.load import ENVIRONMENT_VARIABLE
from noria.config.section import Section
from noria.config.validation_errors import explain_validation_error
from noria.config.yaml_text import read_yaml
from noria.system.errors import NoriaError

Kind = Literal[
    "orchestrator",
    "artifact_store",
    "container_registry",
    "image_builder",
    "experiment_tracker",
    "model_registry",
    "step_operator",
    "alerter",
    "data_validator",
    "deployer",
]
_NEEDED: tuple[Kind, ...] = ("orchestrator", "artifact_store")
_SEVERAL: frozenset[Kind] = frozenset({"step_operator"})


class Component(Section):
    """One part of a stack."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Its name in ZenML; stacks that name the same one share it."""
    type: Kind
    """What it is for; the same as the group that it stands in."""
    flavor: str
    """Who provides it: `local`, `kubernetes`, `s3`, `mlflow` and so on."""
    configuration: dict[str, Any] = {}
    """The flavor's own settings. Secrets only as `${env:NAME}` or `{{secret.key}}`."""

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.type} `{self.name}`"

    @property
    def variables(self) -> list[str]:
        """The environment variables that it names."""
        return sorted(set(ENVIRONMENT_VARIABLE.findall(str(self.configuration))))

    def filled(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """The configuration with each `${env:NAME}` filled in; an unset variable stays as it is written."""
        found: dict[str, Any] = filled(self.configuration, environment)
        return found

    @model_validator(mode="after")
    def _no_written_secret(self) -> Self:
        for key, value in leaves(self.configuration):
            if looks_secret(key) and not only_referenced(value):
                raise ValueError(
                    f"the secret `{key}` is written out; write ${{env:NAME}} or {{{{secret.key}}}} instead"
                )
        nested = {key: value for key, value in self.configuration.items() if isinstance(value, dict | list)}
        for key, value in leaves(nested):
            if looks_secret(key) and isinstance(value, str) and value:  # ZenML would keep it as plain text
                raise ValueError(f"the secret `{key}` stands inside another setting, where ZenML refers to none")
        return self


class StackFile(Section):
    """A stack."""

    zenml_version: str
    """The version of ZenML that it was written for."""
    stack_name: str
    """Its name in ZenML."""
    components: dict[Kind, list[Component]]
    """Its parts by what they are for."""
    noria: StepsConfig = StepsConfig()
    """How steps run; ZenML's import passes over it."""

    @property
    def members(self) -> list[Component]:
        """All its parts."""
        return [component for group in self.components.values() for component in group]

    @property
    def orchestrator(self) -> Component:
        """What runs its pipelines."""
        return self.components["orchestrator"][0]

    def runner(self, step: StepConfig) -> Component:
        """What runs a step: the orchestrator, or a step operator."""
        operators = self.components.get("step_operator", [])
        if not step.step_operator:
            return self.orchestrator
        return next(each for each in operators if step.step_operator in {True, each.name})

    def images_of(self, flavor: str) -> dict[str, str]:
        """The images that an orchestrator or a step operator of this flavor runs, by the key that names them."""
        asked = {f"noria.steps.{name}.image": step for name, step in self.noria.steps.items()}
        found = {"noria.image": self.noria.image} if self.orchestrator.flavor == flavor else {}
        for key, step in asked.items():
            if self.runner(step).flavor == flavor:
                found |= {key: step.image} if step.image is not None else {"noria.image": self.noria.image}
        return {key: image for key, image in found.items() if image is not None}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for kind in _NEEDED:
            if not self.components.get(kind):
                raise ValueError(f"it has no {kind}")
        for kind, group in self.components.items():
            strangers = [component for component in group if component.type != kind]
            if strangers:
                raise ValueError(f"{strangers[0].title} stands under `{kind}`")
            if len(group) > 1 and kind not in _SEVERAL:
                raise ValueError(f"it has {len(group)} components under `{kind}`, and one is all that it can have")
            name, times = Counter(component.name for component in group).most_common(1)[0] if group else ("", 0)
            if times > 1:
                raise ValueError(f"the {kind} `{name}` is named twice")
        if self.noria.image is not None and self.orchestrator.flavor == "local":
            raise ValueError("`noria.image` is named, and the orchestrator `local` runs every step in this process")
        for name, step in self.noria.steps.items():
            self._possible(name, step)
        return self

    def _possible(self, name: str, step: StepConfig) -> None:
        operators = [each.name for each in self.components.get("step_operator", [])]
        if not step.step_operator and step.image is not None and self.orchestrator.flavor == "local":
            raise ValueError(
                f"`noria.steps.{name}.image` is named, and the orchestrator `local` runs that step in this process; "
                "write step_operator: true beside it"
            )
        if step.step_operator and not operators:
            raise ValueError(f"`noria.steps.{name}` has a step operator run it, and the stack has none")
        if step.step_operator is True and len(operators) > 1:
            raise ValueError(f"`noria.steps.{name}`: which step operator runs it? One of {', '.join(operators)}")
        if isinstance(step.step_operator, str) and step.step_operator not in operators:
            raise ValueError(
                f"`noria.steps.{name}`: the stack has no step operator `{step.step_operator}`, "
                f"only {', '.join(operators)}"
            )


def read_stack(path: Path) -> StackFile:
    """Read and check one stack file.

    Raises:
        NoriaError: it is missing, is no YAML, or breaks the form; every fault is listed.
    """
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml"))) or "none"
        raise NoriaError(
            f"no stack file of that name: {path}",
            code="stack.unknown",
            where=str(path.parent),
            fix=f"there are: {known}",
        )
    try:
        stack = StackFile.model_validate(read_yaml(path))
    except ValidationError as error:
        raise explain_validation_error(error, path, StackFile) from error
    if stack.stack_name != path.stem:
        raise NoriaError(
            f"the stack is named `{stack.stack_name}` in a file named `{path.stem}`",
            code="stack.name_differs",
            where=str(path),
            fix=f"write stack_name: {path.stem}, or rename the file",
        )
    return stack
