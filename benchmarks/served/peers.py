"""The environment of servers whose dependencies clash with Noria's, made once by the benchmark itself."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.served.place import tool
from noria.system.workspace import home

REQUIREMENTS = Path(__file__).with_name("requirements-peers.txt")
_READY = ".ready"


def peers_python() -> Path:
    """Python of an environment with what `requirements-peers.txt` pins.

    Raises:
        RuntimeError: it cannot be made.
    """
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    folder = home() / "benchmarks" / f"peers-{digest}"
    python = folder / "bin" / "python"
    if not (folder / _READY).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _uv("venv", "--python", sys.executable, str(folder))
        _uv("pip", "sync", "--require-hashes", "--python", str(python), str(REQUIREMENTS))
        (folder / _READY).touch()
    return python


def _uv(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [tool("uv"), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"uv {arguments[0]} failed: {done.stderr.strip()}")
