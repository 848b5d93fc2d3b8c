"""One strict, frozen YAML file per use case."""

from noria.config.load import expand_environment, load_use_case, use_case_schema, write_schema
from noria.config.usecase import UseCase

__all__ = ["UseCase", "expand_environment", "load_use_case", "use_case_schema", "write_schema"]
