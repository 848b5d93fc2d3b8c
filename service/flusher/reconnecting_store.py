"""The keeper's prediction store, opened anew when that is of use."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from noria.config import expand_environment
from noria.predictions.store import PredictionStore
from noria.system.errors import NoriaError


class ReconnectingStore:
    """A store that is opened when it is first needed, and again when its file was moved away or removed.

    SQLite goes on writing to a file that was moved, where nobody looks for it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._file = _file_of(url)
        self._inode: int | None = None
        self._store: PredictionStore | None = None

    def open(self) -> PredictionStore:
        """The store.

        Raises:
            NoriaError: it does not work.
        """
        if self._store is not None and _inode(self._file) != self._inode:
            self.close()
        if self._store is None:
            self._store = PredictionStore(self._url)
            self._inode = _inode(self._file)
        return self._store

    def close(self) -> None:
        """Connect anew the next time."""
        if self._store is not None:
            self._store.close()
            self._store = None


def _file_of(url: str) -> Path | None:
    """The file of a SQLite store; None: it has none."""
    try:
        made = make_url(expand_environment(url, where="the URL of the prediction store"))
    except (ArgumentError, NoriaError):  # opening the store says what is wrong
        return None
    is_file = made.get_backend_name() == "sqlite" and made.database not in (None, "", ":memory:")
    return Path(str(made.database)) if is_file else None


def _inode(path: Path | None) -> int | None:
    try:
        return None if path is None else path.stat().st_ino
    except OSError:
        return None
