"""What the machines of a cluster share: a folder of the workspace, or the storage of the engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec

from noria.config import UseCase
from noria.config.load import expand_environment
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace


def place(use_case: UseCase, name: str) -> str:
    """The folder or URL of something that goes on after this process.

    Raises:
        NoriaError: an environment variable that `engine.storage` names is not set.
    """
    if use_case.engine.storage is None:
        return str(Workspace(use_case.name).folder / "ray" / name)
    storage = expand_environment(use_case.engine.storage, where="engine.storage").rstrip("/")
    where = storage if "://" in storage else str(Path(storage).absolute())
    return f"{where}/{use_case.name}/{name}"


@contextmanager
def scratch(use_case: UseCase, name: str) -> Iterator[str]:
    """The same for something that goes when the work is done, well or not."""
    where = place(use_case, name)
    remove(where)
    try:
        yield where
    finally:
        remove(where)


def remove(where: str) -> None:
    """Take a folder or URL away, if it is there.

    Raises:
        NoriaError: the storage cannot be reached or written to.
    """
    try:
        files, path = fsspec.core.url_to_fs(where)
        if files.exists(path):
            files.rm(path, recursive=True)
    except Exception as error:  # every file system has errors of its own
        raise NoriaError(
            f"the storage of the Ray cluster cannot be used: {error}",
            where="engine.storage",
            fix="free it, or name another",
        ) from error
