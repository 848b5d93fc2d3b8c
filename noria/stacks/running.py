"""How steps run on a stack: the section `noria` of its file, which ZenML's own import passes over."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from noria.config.base import Section
from noria.config.load import ENVIRONMENT_VARIABLE


class Resources(Section):
    """What each step asks for; an orchestrator that cannot grant it says so in its log and runs the step."""

    cpu: float | None = Field(default=None, gt=0)
    """Processors; a fraction is allowed."""
    memory: str | None = Field(default=None, pattern=r"^[1-9][0-9]*(KB|KiB|MB|MiB|GB|GiB|TB|TiB)$")
    """A whole number and its unit, such as 2GB or 512MiB."""


class Running(Section):
    """In what the steps run, and where the service is put."""

    image: str | None = Field(default=None, min_length=1)
    """Prebuilt image that every step runs in; without one, steps run in the process of this machine."""
    code: Literal["image", "artifact_store"] = "image"
    """Whether the image holds the code, or ZenML uploads it to the artifact store for the step to download."""
    resources: Resources = Resources()
    """Asked for each step."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a step that fails is run again."""
    pending_minutes: float = Field(default=15.0, gt=0)
    """How long a pod may wait for a node of the cluster before its run is ended."""
    service: Literal["process", "container", "compose", "kubernetes"] = "process"
    """Where `run.py deploy` puts the service."""
    url: str | None = Field(default=None, min_length=1)
    """Where a service on Kubernetes answers this machine, for `status` and `traffic`; an unset variable: not known."""

    @property
    def variables(self) -> list[str]:
        """The environment variables that it names."""
        return sorted(set(ENVIRONMENT_VARIABLE.findall(self.image or "")))

    def filled(self, environment: Mapping[str, str]) -> Self:
        """With each `${env:NAME}` filled in; in `image`, an unset variable stays as it is written."""

        def fill(text: str) -> str:
            return ENVIRONMENT_VARIABLE.sub(lambda match: environment.get(match[1]) or match[0], text)

        url = fill(self.url) if self.url else None
        is_known = url is not None and not ENVIRONMENT_VARIABLE.search(url)
        image = fill(self.image) if self.image else None
        return self.model_copy(update={"image": image, "url": url if is_known else None})

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.image is None and "code" in self.model_fields_set:
            raise ValueError("`code` says where an image has the code from, and no `image` is named")
        return self
