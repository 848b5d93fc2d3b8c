"""One strict, frozen YAML file per use case.

Reading it is imported when it is first asked for: what answers requests needs a few sections and no YAML.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noria.config.load import expand_environment, load_use_case, use_case_schema, write_schema
    from noria.config.use_case import UseCase

__all__ = ["UseCase", "expand_environment", "load_use_case", "use_case_schema", "write_schema"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("noria.config.use_case" if name == "UseCase" else "noria.config.load"), name)
