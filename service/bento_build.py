"""Build of the Bento: the service, Noria's code, one bundle and their requirements, in one folder."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import yaml

from noria.bundle import Bundle
from noria.deployment.bento_code import code_digest, code_files
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT, Workspace

_TIMEOUT_S = 300
_REQUIREMENTS = (
    "alembic",
    "bentoml",
    "filelock",
    "flatbuffers",
    "httptools",
    "httpx",
    "joblib",
    "msgspec",
    "numpy",
    "onnxruntime",
    "pandas",
    "prometheus-client",
    "psutil",
    "psycopg",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "scikit-learn",
    "skops",
    "sqlalchemy",
    "starlette",
    "threadpoolctl",
    "uvicorn",
    "uvloop",
)


def build_bento(bundle: Bundle, workspace: Workspace) -> Path:
    """The folder of a Bento of this bundle; an existing one is reused.

    BentoML runs in a process of its own: it would import the service into this one and keep the first home
    folder that it saw.

    Raises:
        NoriaError: it cannot be built or written.
    """
    name, bento_version = bundle.manifest.name, _bento_version(bundle)
    home = workspace.service / "bentoml"
    built = home / "bentos" / name / bento_version
    if not (built / "bento.yaml").is_file():
        try:
            # not in the workspace: BentoML builds from no path with a hidden folder in it, such as .noria
            with tempfile.TemporaryDirectory(prefix="noria-build-") as staging:
                _stage(Path(staging), bundle)
                _build(Path(staging), bento_version, home)
        except OSError as error:
            raise NoriaError(
                f"the Bento cannot be written: {error}",
                code="deployment.bento_unwritable",
                where=str(workspace.service),
                fix="free some space",
            ) from error
    return built


def requirements() -> list[str]:
    """The requirements of the service, in the versions that are installed here."""
    found = [f"{name}=={version(name)}" for name in _REQUIREMENTS]
    # the plain distribution brings CUDA libraries of half a gigabyte along, on Linux with x86
    x86 = 'platform_machine == "x86_64"'
    xgboost = version("xgboost")
    return [*found, f"xgboost-cpu=={xgboost}; {x86}", f"xgboost=={xgboost}; {x86.replace('==', '!=')}"]


def _bento_version(bundle: Bundle) -> str:
    digest = hashlib.sha256(code_digest(PROJECT).encode())
    digest.update((bundle.folder / "manifest.json").read_bytes())
    digest.update("\n".join(requirements()).encode())
    plain = re.sub(r"[^a-z0-9._-]", "-", bundle.manifest.version.lower())
    return f"{plain}-{digest.hexdigest()[:8]}"


def _stage(staging: Path, bundle: Bundle) -> None:
    for path in code_files(PROJECT):
        target = staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / path, target)
    shutil.copytree(bundle.folder, staging / "bundle")
    manifest = bundle.manifest
    options = {
        "service": "service.service:Noria",
        "name": manifest.name,
        "description": f"Predicts {manifest.target} of one {manifest.case} or many: model version {manifest.version}.",
        "labels": {"kind": manifest.kind, "task": manifest.task, "version": manifest.version},
        "python": {"packages": requirements(), "lock_packages": False},
        "docker": {"python_version": ".".join(platform.python_version_tuple()[:2])},
    }
    (staging / "bentofile.yaml").write_text(yaml.safe_dump(options, sort_keys=False), encoding="utf-8")


def _build(staging: Path, bento_version: str, home: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "bentoml", "build", "--version", bento_version, "."],
        cwd=staging,
        env=os.environ | {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise NoriaError(
            f"the Bento could not be built:\n{output}",
            code="deployment.bento_not_built",
            where=str(home),
            fix="correct it, deploy again",
        )
