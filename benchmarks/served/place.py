"""Where a run of the benchmark finds and keeps things."""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.served.apps.names import BUNDLE
from noria.bundle import Bundle
from noria.system.workspace import PROJECT


@dataclass(frozen=True)
class Place:
    """One run."""

    folder: Path
    """Temporary; removed at the end."""
    bundle: Bundle
    """The model that every server answers with."""
    peers_python: Path | None
    """Python of the environment of servers that clash with Noria's; None if it could not be made."""

    def environment(self) -> dict[str, str]:
        """What a server's process is told."""
        here = Path(sys.executable).parent  # where mlflow looks for uvicorn
        return {
            BUNDLE: str(self.bundle.folder),
            "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": str(PROJECT),
            "PYTHONUNBUFFERED": "1",
        }

    def log(self, key: str) -> Path:
        """What a server says."""
        return self.folder / f"{key}.log"


def tool(name: str, python: Path | None = None) -> str:
    """A command of an environment, by default of the one that runs this."""
    return str((python or Path(sys.executable)).parent / name)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
