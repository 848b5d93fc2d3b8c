"""What every section of a use case shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Label = str | int | float | bool
PathName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$")]
"""A name that may be a part of a path: it leads to no other folder."""


class Section(BaseModel):
    """Strict and frozen: an unknown key is an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    def differing(self) -> set[str]:
        """The fields that differ from their default."""
        fields = type(self).model_fields.items()
        return {name for name, field in fields if getattr(self, name) != field.get_default(call_default_factory=True)}
