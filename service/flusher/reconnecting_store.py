"""The flusher's prediction store, reopened when its file was moved."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from noria.config import expand_environment
from noria.predictions.store import PredictionStore
from noria.system.errors import NoriaError


class ReconnectingStore:
    """A store that is opened on first use, and again when its file was moved or removed.

    SQLite would continue to write to the moved file.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._file = _file_of(url)
        self._inode: int | None = None
        self._store: PredictionStore | None = None

    def open(self) -> PredictionStore:
        """The store.

        Raises:
            NoriaError: it cannot be opened.
        """
        if self._store is not None and _inode(self._file) != self._inode:
            self.close()
        if self._store is None:
            self._store = PredictionStore(self._url)
            self._inode = _inode(self._file)
        return self._store

    def close(self) -> None:
        """Close the store; the next `open` reconnects."""
        if self._store is not None:
            self._store.close()
            self._store = None


def _file_of(url: str) -> Path | None:
    """The file of a SQLite store; None for a server or a store in memory."""
    try:
        made = make_url(expand_environment(url, where="the URL of the prediction store"))
    except (ArgumentError, NoriaError):  # opening the store reports the error
        return None
    is_file = made.get_backend_name() == "sqlite" and made.database not in (None, "", ":memory:")
    return Path(str(made.database)) if is_file else None


def _inode(path: Path | None) -> int | None:
    try:
        return None if path is None else path.stat().st_ino
    except OSError:
        return None
