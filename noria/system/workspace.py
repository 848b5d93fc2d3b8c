"""Where Noria keeps what it makes: one folder, `.noria` in the project unless `NORIA_HOME` says otherwise.

The project is the folder that holds the package; of an installed package, it is the folder one works in.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from noria.system.errors import NoriaError
from noria.system.files import write_failure


def _project() -> Path:
    around = Path(__file__).resolve().parents[2]
    is_installed = any(around.glob("noria-*.dist-info"))
    return Path.cwd() if is_installed else around


PROJECT = _project()


def home() -> Path:
    """The workspace's folder (absolute); it need not exist yet."""
    return Path(os.environ.get("NORIA_HOME") or PROJECT / ".noria").expanduser().resolve()


def in_project(path: str) -> str:
    """A local path as an absolute one, seen from the project folder; URLs stay as they are."""
    return path if "://" in path else str((PROJECT / Path(path).expanduser()).resolve())


@dataclass(frozen=True)
class Workspace:
    """The places of one use case; every property that names a folder creates it."""

    use_case: str

    def __post_init__(self) -> None:
        """Refuse a name that leads to another folder."""
        if self.use_case != Path(self.use_case).name or self.use_case in {"", ".", ".."} or "\0" in self.use_case:
            raise NoriaError(
                f"{self.use_case!r} is no name of a use case",
                code="workspace.name_invalid",
                where=str(home()),
                fix="name it with letters, digits and underscores",
            )

    @property
    def folder(self) -> Path:
        """Everything that belongs to the use case."""
        return _made(home() / self.use_case)

    @property
    def reports(self) -> Path:
        """HTML reports for people."""
        return _made(self.folder / "reports")

    @property
    def quarantine(self) -> Path:
        """Rows that broke an expectation, with the reason."""
        return _made(self.folder / "quarantine")

    @property
    def bundles(self) -> Path:
        """Model bundles taken out of the artifact store, one folder per version."""
        return _made(self.folder / "bundles")

    @property
    def service(self) -> Path:
        """State and logs of the running service."""
        return _made(self.folder / "service")

    @property
    def monitoring(self) -> Path:
        """Reports and the history of verdicts."""
        return _made(self.folder / "monitoring")

    @property
    def labels(self) -> Path:
        """Which labels are wanted."""
        return _made(self.folder / "labels")

    @property
    def predictions_url(self) -> str:
        """SQLAlchemy URL of the prediction store: what NORIA_PREDICTIONS_URL says, or a file in the workspace.

        In the variable, `{use_case}` stands for the use case's name: each one needs a store of its own. A secret is
        best written as `${env:NAME}`.
        """
        given = os.environ.get("NORIA_PREDICTIONS_URL")
        if given:
            return given.replace("{use_case}", self.use_case)
        return f"sqlite:///{self.folder / 'predictions.db'}"

    @property
    def spool(self) -> Path:
        """Where answers wait for the prediction store: a folder in NORIA_SPOOL_DIR, or in that of the service."""
        given = os.environ.get("NORIA_SPOOL_DIR")
        return Path(given).absolute() / self.use_case if given else self.service / "spool"


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "not writable")
    except OSError as error:
        raise NoriaError(
            f"cannot write to the workspace: {write_failure(error)}",
            code="workspace.unwritable",
            where=str(folder),
            fix="free or unlock that path, or point NORIA_HOME at a folder you may write to",
        ) from error
    return folder
