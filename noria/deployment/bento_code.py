"""The files in a Bento's folder, and a digest of its code."""

import hashlib
from pathlib import Path

PACKAGES = ("noria", "service")


def source_of(bento: Path) -> Path:
    """The folder with the code and the bundle."""
    return bento / "src"


def bundle_of(bento: Path) -> Path:
    """The bundle that a Bento was built with."""
    return source_of(bento) / "bundle"


def code_files(folder: Path) -> list[Path]:
    """The files of the code that a Bento carries, in a fixed order, relative to `folder`."""
    found = (path for package in PACKAGES for path in (folder / package).rglob("*"))
    return sorted(path.relative_to(folder) for path in found if path.is_file() and "__pycache__" not in path.parts)


def code_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of the code below `folder`."""
    digest = hashlib.sha256()
    for path in code_files(folder):
        digest.update(f"{path.as_posix()}\0".encode())
        digest.update(hashlib.sha256((folder / path).read_bytes()).digest())
    return digest.hexdigest()
