"""What the machines of a cluster share: a folder of the workspace, or the storage of the engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec

from noria.config.engine import EngineConfig
from noria.config.load import expand_environment
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace


def place(engine: EngineConfig, owner: str, name: str) -> str:
    """The folder or URL of something that outlives this process; `owner` is the use case.

    Raises:
        NoriaError: an environment variable that `engine.storage` names is not set.
    """
    if engine.storage is None:
        return str(Workspace(owner).folder / "ray" / name)
    storage = expand_environment(engine.storage, where="engine.storage").rstrip("/")
    where = storage if "://" in storage else str(Path(storage).absolute())
    return f"{where}/{owner}/{name}"


@contextmanager
def scratch(engine: EngineConfig, owner: str, name: str) -> Iterator[str]:
    """The same for something that is removed when the work ends, successfully or not."""
    where = place(engine, owner, name)
    remove(where)
    try:
        yield where
    finally:
        remove(where)


def remove(where: str) -> None:
    """Remove a folder or URL, if it exists.

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
            code="engine.storage_unusable",
            where="engine.storage",
            fix="free it, or name another",
        ) from error
