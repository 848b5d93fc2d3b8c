"""How steps run on a stack: the section `noria` of its file, which ZenML's own import passes over."""

import difflib
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, StrictBool, field_validator, model_validator

from app.serving.registry import BACKENDS, DEFAULT_BACKEND
from app.stacks.definition.secret_values import leaves, looks_secret
from noria.config.load import ENVIRONMENT_VARIABLE
from noria.config.section import Section

STEPS: Mapping[str, tuple[str, ...]] = {
    "exploration": ("ingest", "validate", "explore"),
    "training": (
        *("ingest", "validate", "explore", "split", "choose_window", "train_candidates"),
        *("tune", "select", "evaluate", "gate", "refit", "register"),
    ),
    "batch_inference": ("champion", "predict_file"),
    "monitoring": ("champion", "join_labels", "collect", "check"),
}
"""Steps by pipeline. Those of the deployment are left out, since they must run where the service is."""
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


class StepResources(Section):
    """What a step asks for; `stack check` says where an orchestrator cannot grant it."""

    cpu: float | None = Field(default=None, gt=0)
    """Processors; a fraction is allowed."""
    memory: str | None = Field(default=None, pattern=r"^[1-9][0-9]*(KB|KiB|MB|MiB|GB|GiB|TB|TiB)$")
    """A whole number and its unit, such as 2GB or 512MiB."""

    @property
    def memory_bytes(self) -> int | None:
        """The memory in bytes."""
        if self.memory is None:
            return None
        digits = self.memory.rstrip("BKMGTi")
        return int(digits) * _UNITS[self.memory.removeprefix(digits)]

    def over(self, general: Self) -> Self:
        """These, and the general ones where these say nothing."""
        return self.model_copy(update={"cpu": self.cpu or general.cpu, "memory": self.memory or general.memory})


class StepConfig(Section):
    """How one step runs, where it differs from the others."""

    resources: StepResources = StepResources()
    """Asked for this step, in place of the general ones that it names."""
    image: str | None = Field(default=None, min_length=1)
    """Prebuilt image that this step runs in, in place of the general one."""
    step_operator: StrictBool | str = False
    """What runs it elsewhere: the name of a step operator of the stack, or `true` for the only one."""
    settings: dict[str, Any] = {}
    """Settings of the orchestrator or the step operator that hold for this step, such as `instance_type`."""

    @model_validator(mode="after")
    def _no_secret(self) -> Self:
        for key, value in leaves(self.settings):
            if looks_secret(key) and isinstance(value, str) and value:
                raise ValueError(f"`{key}` would be kept as plain text with every run; it belongs to the component")
        return self


class StepsConfig(Section):
    """In what the steps run, and where the service is put."""

    image: str | None = Field(default=None, min_length=1)
    """Prebuilt image that every step runs in; without one, steps run in the process of this machine."""
    code: Literal["image", "artifact_store"] = "image"
    """Whether the image holds the code, or ZenML uploads it to the artifact store for the step to download."""
    resources: StepResources = StepResources()
    """Asked for each step."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a step that fails is run again."""
    pending_minutes: float = Field(default=15.0, gt=0)
    """How long a pod may wait for a node of the cluster before its run is ended."""
    service: str = DEFAULT_BACKEND
    """Where `run.py deploy` puts the service: a name in `app/serving/registry.py`."""
    url: str | None = Field(default=None, min_length=1)
    """Where a service on Kubernetes answers this machine, for `status` and `traffic`; an unset variable: not known."""
    steps: dict[str, StepConfig] = {}
    """What holds for single steps, by name; in every pipeline that has the step, but for the deployment."""

    @property
    def images(self) -> list[str]:
        """All images that it names; none: every step runs in the process of this machine."""
        return [each for each in (self.image, *(step.image for step in self.steps.values())) if each is not None]

    @property
    def variables(self) -> list[str]:
        """The environment variables that it names."""
        settings = [str(step.settings) for step in self.steps.values()]
        return sorted(set(ENVIRONMENT_VARIABLE.findall(" ".join([*self.images, *settings]))))

    def filled(self, environment: Mapping[str, str]) -> Self:
        """With each `${env:NAME}` filled in; an unset variable stays as it is written, and a `url` with one is none."""
        url = filled(self.url, environment)
        steps = {
            name: step.model_copy(
                update={"image": filled(step.image, environment), "settings": filled(step.settings, environment)}
            )
            for name, step in self.steps.items()
        }
        known = None if url is None or ENVIRONMENT_VARIABLE.search(url) else url
        return self.model_copy(update={"image": filled(self.image, environment), "url": known, "steps": steps})

    def of_pipeline(self, pipeline: str) -> dict[str, StepConfig]:
        """What holds for single steps of a pipeline, with what holds for all."""
        return {
            name: step.model_copy(
                update={"resources": step.resources.over(self.resources), "image": step.image or self.image}
            )
            for name, step in self.steps.items()
            if name in STEPS.get(pipeline, ())
        }

    @field_validator("service")
    @classmethod
    def _registered(cls, service: str) -> str:
        if service not in BACKENDS:
            raise ValueError(f"no serving backend is named `{service}`; there are {', '.join(BACKENDS)}")
        return service

    @field_validator("steps")
    @classmethod
    def _known(cls, steps: dict[str, StepConfig]) -> dict[str, StepConfig]:
        known = sorted({name for names in STEPS.values() for name in names})
        for name in steps:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
                raise ValueError(f"no step that runs on a stack is named `{name}`; {hint}")
        return steps

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.images and "code" in self.model_fields_set:
            raise ValueError("`code` says where an image has the code from, and no `image` is named")
        for name, step in self.steps.items():
            if step.step_operator and step.image is None and self.image is None:
                raise ValueError(f"the step operator of `{name}` runs it in an image, and no `image` is named")
        return self


def filled(value: Any, environment: Mapping[str, str]) -> Any:
    """A setting with each `${env:NAME}` in it filled in; an unset variable stays as it is written."""
    if isinstance(value, dict):
        return {key: filled(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, environment) for each in value]
    if isinstance(value, str):
        return ENVIRONMENT_VARIABLE.sub(lambda match: environment.get(match[1], match[0]), value)
    return value
