"""Where the heavy work is done: `engine`."""

from typing import Any, Literal, Self, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue

from noria.config.section import Section

EngineName = Literal["local", "ray"]


class EngineConfig(Section):
    """Where data are prepared, candidates tuned, XGBoost trained and files predicted.

    `engine: ray` alone is short for `engine: {name: ray}`.
    """

    name: EngineName = "local"
    """`local`: in the process of the step, on all its cores. `ray`: on a Ray cluster."""
    address: str | None = None
    """`HOST:PORT` of a Ray cluster that runs; the command itself runs on one of its machines. `${env:NAME}` is
    replaced. Absent: Ray is started on this machine, and ended with the command."""
    storage: str | None = None
    """Where checkpoints are kept: a folder or URL that every machine of the cluster reaches. Default: the workspace,
    which does for one machine."""
    workers: int = Field(default=2, ge=1, le=10_000)
    """Processes that fit one XGBoost model together, each on its share of the rows."""
    cores: int = Field(default=1, ge=1, le=1_024)
    """Cores of each of them, and of each trial of tuning."""
    checkpoint_every: int = Field(default=25, ge=1)
    """Boosting rounds between two checkpoints; a run that is killed goes on from the last."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        stray = sorted(self.differing() - {"name"})
        if self.name == "local" and stray:
            raise ValueError(f"`{stray[0]}` needs `name: ray`")
        if self.address is not None and self.storage is None:
            raise ValueError("`address` needs `storage`, a folder or URL that every machine of the cluster reaches")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        section = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [{"enum": list(get_args(EngineName)), "type": "string"}, section]}
