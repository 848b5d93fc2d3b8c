"""Copies of bundles in the service folder, so that the server does not depend on folders that others may remove."""

import shutil
import uuid
from collections.abc import Collection
from pathlib import Path

from noria.bundle import Bundle
from noria.bundle.seal import bundle_digest, verify_seal
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace


def cached_bundle(workspace: Workspace, bundle: Bundle) -> Path:
    """The folder of a copy, named by its content; an intact copy is reused.

    Raises:
        NoriaError: the bundle was damaged since it was loaded, or the copy cannot be written.
    """
    verify_seal(bundle.folder)
    try:
        target = workspace.service / "bundles" / copy_name(bundle)
        if not _is_intact(target):
            _copy(bundle.folder, target)
    except OSError as error:
        raise NoriaError(
            f"the bundle cannot be copied: {error}",
            code="bundle.not_copied",
            where=str(workspace.service / "bundles"),
            fix="free some space and deploy again",
        ) from error
    return target


def copy_name(bundle: Bundle) -> str:
    """A name by content: the version and the first digits of the manifest's SHA-256."""
    return f"{bundle.manifest.version}-{bundle_digest(bundle.folder)[:8]}"


def prune_cache(folder: Path, in_use: Collection[Path], newest: int) -> None:
    """Remove all folders below `folder` except the newest ones and those in use."""
    versions = sorted((path for path in folder.glob("*") if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for path in versions[: -newest or None]:
        if path not in in_use:
            shutil.rmtree(path, ignore_errors=True)


def _is_intact(folder: Path) -> bool:
    try:
        verify_seal(folder)
    except NoriaError:
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        shutil.copytree(source, part)
        shutil.rmtree(target, ignore_errors=True)
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
