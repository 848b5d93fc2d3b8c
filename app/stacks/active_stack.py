"""Which stack is in use, without ZenML where possible: `status` should not wait for its imports."""

import json
import os
from pathlib import Path

from app.environment import zenml_client
from app.stacks import stacks
from noria.config.yaml_text import read_yaml
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.workspace import Workspace


def service_stack(stack: str | None) -> str:
    """The stack by whose file a service is looked for: the one that is named, or else the one in use.

    Raises:
        NoriaError: there is no such stack.
    """
    if stack is None:
        return _in_use()
    if stack not in stacks.stack_files():
        registered = stacks.registered_stacks(zenml_client())
        if stack not in registered:
            raise stacks.unknown_stack(stack, registered)
    return stack


def _in_use() -> str:
    """ZenML's configuration holds the identifier of the stack in use; its name is kept here once it was asked for."""
    if any((folder / ".zen").is_dir() for folder in (Path.cwd(), *Path.cwd().parents)):
        return stacks.active_stack(zenml_client())  # that folder says it
    chosen = os.environ.get("ZENML_ACTIVE_STACK_ID") or _configured()
    if not chosen:
        return stacks.DEFAULT_STACK  # ZenML has not been used yet
    key = f"{os.environ.get('ZENML_STORE_URL', '')} {chosen}"
    kept = Workspace("zenml").folder / "stack_in_use.json"
    known = _known(kept)
    if key not in known:
        known = {key: stacks.active_stack(zenml_client())}
        write_text(kept, json.dumps(known))
    return known[key]


def _configured() -> str:
    file = Path(os.environ.get("ZENML_CONFIG_PATH", "")) / "config.yaml"
    try:
        return str(read_yaml(file).get("active_stack_id") or "") if file.is_file() else ""
    except NoriaError:  # ZenML will say it, when it is needed
        return ""


def _known(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
