"""Sealing a folder and checking the seal.

The manifest holds the SHA-256 of every file, and `manifest.sha256` that of the manifest. This tells damage, a file
that was swapped, and a manifest edited by hand. It does not prove who wrote the bundle: anyone who may write to the
folder can reseal it, so guard the folder itself.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from noria.bundle.manifest import FORMAT, Manifest
from noria.system.errors import NoriaError

MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
_AGAIN = "fetch the bundle again or train again; a bundle is never edited by hand"


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Hash every file in `folder`, then write the manifest and its digest; returns the manifest with the hashes."""
    names = sorted(path.name for path in folder.iterdir() if path.name not in {MANIFEST, SEAL})
    sealed = manifest.model_copy(update={"files": {name: _digest((folder / name).read_bytes()) for name in names}})
    text = sealed.model_dump_json(indent=2).encode()
    (folder / MANIFEST).write_bytes(text)
    (folder / SEAL).write_text(_digest(text) + "\n", encoding="ascii")
    return sealed


def bundle_digest(folder: Path) -> str:
    """SHA-256 of the manifest, which holds that of every other file: names the content of the whole bundle."""
    return _digest((folder / MANIFEST).read_bytes())


def verify_seal(folder: Path) -> Manifest:
    """The manifest of a bundle whose files are exactly those it names, each unchanged.

    Raises:
        NoriaError: the folder is no bundle, was changed in any way, or has a layout that this version does not read.
    """
    if not folder.is_dir():
        raise NoriaError(
            "no model bundle there",
            code="bundle.not_found",
            where=str(folder),
            fix="train first, or name the bundle's folder",
        )
    manifest = _manifest(folder)
    _same_files(folder, manifest)
    for name in manifest.files:
        sealed_bytes(folder, manifest, name)
    return manifest


def sealed_bytes(folder: Path, manifest: Manifest, name: str) -> bytes:
    """The content of one file, which is what was sealed: the bytes that are checked are those that are used."""
    content = _read(folder / name)
    if _digest(content) != manifest.files[name]:
        raise NoriaError(
            f"the model bundle's file {name} was changed or cut short",
            code="bundle.checksum_mismatch",
            where=str(folder),
            fix=_AGAIN,
        )
    return content


def _manifest(folder: Path) -> Manifest:
    content, digest = _read(folder / MANIFEST), _read(folder / SEAL)
    if _digest(content).encode() != digest.strip():
        raise NoriaError(
            "the model bundle's manifest was changed or cut short",
            code="bundle.checksum_mismatch",
            where=str(folder),
            fix=_AGAIN,
        )
    try:
        raw: Any = json.loads(content)
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            found = raw.get("format") if isinstance(raw, dict) else None
            raise NoriaError(
                f"the model bundle has format {found!r}, this Noria reads {FORMAT}",
                code="bundle.format_unknown",
                where=str(folder),
                fix="train again, or use the Noria that wrote it",
            )
        return Manifest.model_validate_json(content)
    except (ValueError, ValidationError) as error:
        raise NoriaError(
            f"the model bundle's manifest is not valid: {error}",
            code="bundle.manifest_invalid",
            where=str(folder),
            fix=_AGAIN,
        ) from error


def _same_files(folder: Path, manifest: Manifest) -> None:
    strange = [name for name in manifest.files if name != Path(name).name or name in {"", ".", "..", MANIFEST, SEAL}]
    if strange:
        raise NoriaError(
            f"the manifest names a file outside the model bundle: {strange[0]!r}",
            code="bundle.incomplete",
            where=str(folder),
            fix=_AGAIN,
        )
    there = {path.name: path for path in folder.iterdir()}
    wanted = {*manifest.files, MANIFEST, SEAL}
    problems = [f"{name} is missing" for name in sorted(wanted - set(there))]
    problems += [f"{name} does not belong there" for name in sorted(set(there) - wanted)]
    problems += [
        f"{name} is not a plain file" for name, path in sorted(there.items()) if path.is_symlink() or not path.is_file()
    ]
    if problems:
        raise NoriaError(
            f"the model bundle is not whole: {'; '.join(problems)}",
            code="bundle.incomplete",
            where=str(folder),
            fix=_AGAIN,
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NoriaError(
            f"the model bundle is not whole: {path.name} is missing",
            code="bundle.incomplete",
            where=str(path.parent),
            fix=_AGAIN,
        ) from error
    except OSError as error:
        raise NoriaError(
            f"cannot read the model bundle: {error.strerror}", code="bundle.unreadable", where=str(path), fix=_AGAIN
        ) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
