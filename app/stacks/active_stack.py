"""Which stack is in use, without ZenML where possible: `status` should not wait for its imports."""

import contextlib
import os
import sqlite3
import uuid
from pathlib import Path

from app.environment import zenml_client
from app.stacks import stacks
from noria.config.yaml_text import read_yaml
from noria.system.errors import NoriaError


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
    """The stack that ZenML has as active, read from its configuration and its local database where they say it."""
    if any((folder / ".zen").is_dir() for folder in (Path.cwd(), *Path.cwd().parents)):
        return stacks.active_stack(zenml_client())  # that folder says it
    chosen = os.environ.get("ZENML_ACTIVE_STACK_ID") or _configured("active_stack_id")
    if not chosen:
        return stacks.DEFAULT_STACK  # ZenML has not been used yet
    name = _name_of(chosen)
    if name is None:
        return stacks.active_stack(zenml_client())
    is_chosen = "ZENML_ACTIVE_STACK_ID" in os.environ or stacks.first_use_mark(_folder()).is_file()
    return name if name != "default" or is_chosen else stacks.DEFAULT_STACK


def _name_of(stack_id: str) -> str | None:
    """The name of a stack in ZenML's local database; None: it is not there, or ZenML uses a server."""
    database = _folder() / "local_stores" / "default_zen_store" / "zenml.db"
    if os.environ.get("ZENML_STORE_URL") or not database.is_file() or str(database) not in _configured("store"):
        return None
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            row = connection.execute("SELECT name FROM stack WHERE id = ?", [uuid.UUID(stack_id).hex]).fetchone()
    except (sqlite3.Error, ValueError):  # a version of ZenML that keeps it otherwise
        return None
    return None if row is None else str(row[0])


def store_in_use() -> str:
    """What tells ZenML's store from another one, without ZenML: its address, and who made its configuration."""
    return " ".join([os.environ.get("ZENML_STORE_URL", ""), _configured("store"), _configured("user_id")])


def _configured(key: str) -> str:
    """An entry of ZenML's configuration; empty: there is none yet."""
    file = _folder() / "config.yaml"
    try:
        return str(read_yaml(file).get(key) or "") if file.is_file() else ""
    except NoriaError:  # ZenML will say it, when it is needed
        return ""


def _folder() -> Path:
    return Path(os.environ.get("ZENML_CONFIG_PATH", "")).absolute()
