"""Reading a use case from YAML, with errors that say what, where and how to fix it."""

import json
import os
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from noria.config.migration import old_keys, refuse_both
from noria.config.rule_syntax import rule_columns
from noria.config.use_case import UseCase
from noria.config.validation_errors import explain_validation_error
from noria.config.yaml_text import read_yaml
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.shell_commands import run_py

ENVIRONMENT_VARIABLE = re.compile(
    r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}"
)  # not ${NAME}: ZenML would expand and store that


def load_use_case(path: Path) -> UseCase:
    """Read and check one use-case file; old names of keys are taken, with one line of warning.

    Raises:
        NoriaError: the file is missing, is not YAML or breaks the schema, or a rule cannot be read.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a name is too long
        near = sorted(str(p) for p in Path("configs").glob("*.yaml"))
        fix = (
            f"name one of {', '.join(near)}"
            if near
            else "write one with `python run.py new --data FILE --target COLUMN`"
        )
        raise NoriaError(f"config file not found: {path}", code="config.file_not_found", where=str(path), fix=fix)
    raw = read_yaml(path)
    refuse_both(raw, str(path))
    if renamed := old_keys(raw):
        names = ", ".join(f"{old} is now {new}" for old, new in renamed.items())
        progress.warn(f"{path} has old names of keys: {names}. To rename them: {run_py('config migrate', path)}")
    try:
        use_case = UseCase.model_validate(raw)
    except ValidationError as error:
        raise explain_validation_error(error, path) from error
    rule_columns(use_case.rules)
    return use_case


def use_case_schema() -> dict[str, Any]:
    """JSON Schema of the use-case file, for editors."""
    schema = UseCase.model_json_schema()
    schema |= {"title": "Noria use case", "description": schema["description"].partition("\n")[0]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write_schema(path: Path) -> None:
    """Write the JSON Schema to `path`."""
    path.write_text(json.dumps(use_case_schema(), indent=2) + "\n", encoding="utf-8")


def expand_environment(text: str, *, where: str) -> str:
    """Replace every `${env:NAME}` by the environment variable of that name.

    Raises:
        NoriaError: a variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise NoriaError(
                f"environment variable {name} is not set",
                code="config.variable_unset",
                where=where,
                fix=f"export {name}=…",
            )
        return os.environ[name]

    return ENVIRONMENT_VARIABLE.sub(value, text)
