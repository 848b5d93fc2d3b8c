"""What every section of a use case shares."""

from pydantic import BaseModel, ConfigDict

Label = str | int | float | bool


class Section(BaseModel):
    """Strict and frozen: an unknown key is an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    def differing(self) -> set[str]:
        """The fields that differ from their default."""
        fields = type(self).model_fields.items()
        return {name for name, field in fields if getattr(self, name) != field.get_default(call_default_factory=True)}
