"""What every command needs before it touches ZenML: environment variables, the client, and its turn."""

import atexit
import gc
import importlib.metadata
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from noria.system.command_hints import CommandHints, other_home
from noria.system.files import write_text
from noria.system.locks import exclusive, wait_lock
from noria.system.workspace import PROJECT, Workspace, home

if TYPE_CHECKING:
    from zenml.client import Client


_calls: dict[str, CommandHints] = {}


def command_hints(config: str = "", stack: str | None = None) -> CommandHints:
    """How commands are completed that are printed now: with this file, this stack and the workspace in use."""
    return CommandHints(config, stack or "", other_home())


def remember_config(use_case: str, config: str, stack: str | None) -> None:
    """Keep from which file a use case was read, for what this process prints or writes about it."""
    _calls[use_case] = command_hints(config, stack)


def hints_of(use_case: str) -> CommandHints:
    """How commands on a use case are completed; without a file that is known, it is the one in `configs/`."""
    return _calls.get(use_case) or command_hints(f"configs/{use_case}.yaml")


def prepare_environment(*, debug: bool = False) -> None:
    """Point every tool at the workspace and switch off what would leave the machine or clutter the screen.

    Values that the user has set are left alone.

    Raises:
        NoriaError: the workspace cannot be written to.
    """
    _ = Workspace("zenml").folder  # fails early, and clearly, where nothing can be written
    defaults = {
        "NORIA_DEBUG": "1" if debug else "",
        "ZENML_CONFIG_PATH": str(home() / "zenml"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_ENABLE_REPO_INIT_WARNINGS": "false",
        "ZENML_ENABLE_RICH_TRACEBACK": "false",
        "ZENML_CUSTOM_SOURCE_ROOT": str(PROJECT),
        "ZENML_DISABLE_STEP_NAMES_IN_LOGS": "true",
        "AUTO_OPEN_DASHBOARD": "false",
        # threads that wait for work sleep instead of spinning: on a busy machine XGBoost is many times faster so
        "OMP_WAIT_POLICY": "PASSIVE",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "INFO" if debug else "ERROR",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def zenml_client() -> "Client":
    """ZenML's client; the first call makes ZenML's database."""
    from zenml.client import Client

    from steps.shared.log_silencing import quiet_console

    _spare_time()
    _keep_configuration_whole()
    quiet_console()
    with wait_lock("setup", Workspace("zenml")):  # two first commands at once would both make its database
        client = Client()
        _ = client.zen_store
    return client


@contextmanager
def one_at_a_time(action: str, workspace: Workspace) -> Iterator[None]:
    """One `action` at a time on a use case; ZenML's database is ready before steps, which ask it, are declared.

    Raises:
        NoriaError: another process is at it.
    """
    with exclusive(action, workspace):
        zenml_client()
        yield


@cache
def _keep_configuration_whole() -> None:
    """Let ZenML replace its configuration in one go.

    It empties the file before it writes it: a process that reads it then, or after one that was killed, forgets which
    stack is in use and goes back to `default` without a word.
    """
    import yaml
    from zenml.config.global_config import GlobalConfiguration

    def write(configuration: GlobalConfiguration) -> None:
        values = configuration.model_dump(mode="json", exclude_none=True)
        write_text(Path(configuration.config_directory) / "config.yaml", yaml.safe_dump(values))

    GlobalConfiguration._write_config = write


@cache
def _spare_time() -> None:
    """Two habits that cost seconds in every process, once."""
    # ZenML asks for every table which package pandas comes from, and each time that reads all that is installed
    importlib.metadata.packages_distributions = cache(importlib.metadata.packages_distributions)
    # at its end Python looks several times for cycles among all objects, though the process goes anyway
    atexit.register(gc.freeze)
