"""The container images of Noria itself, without any model.

An image is named after what is in it, so a name that stands for old code is never taken for new code.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from app.stacks.definition import StepsConfig
from noria.deployment.docker_cli import run_docker
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT

BASE = "NORIA_BASE_IMAGE"
PIPELINE_IMAGE = "NORIA_PIPELINE_IMAGE"
_DOCKERFILE = "Dockerfile"
_BUNDLE = "bundle"


@dataclass(frozen=True)
class ImageTarget:
    """A target of the Dockerfile, and the files of the project that it copies."""

    name: str
    lock: str
    code: tuple[str, ...]
    """What it runs."""
    others: tuple[str, ...] = ()
    """What it only carries along, so that its name does not change with it."""


SERVICE = ImageTarget("service", "requirements-serving.lock", ("noria", "service"))
PIPELINE = ImageTarget(
    "pipeline",
    "requirements.lock",
    ("run.py", "noria", "service", "materializers", "steps", "pipelines", "app", "cli"),
    ("configs", "data"),
)


PIPELINE_S3 = replace(PIPELINE, lock="requirements-kubernetes.lock")
"""The same with what reaches an S3-compatible store."""


def build_project_images() -> list[str]:
    """Build the images of the service and of the pipelines' steps, without a model, and return their names."""
    return [build(target, image_of(target)) for target in (SERVICE, PIPELINE)]


def image_of(target: ImageTarget) -> str:
    """The name of the image of the code as it is here, built or not."""
    digest = hashlib.sha256(os.environ.get(BASE, "").encode())
    for path in [Path(_DOCKERFILE), Path(target.lock), *_files(target.code)]:
        digest.update(f"{path.as_posix()}\0".encode())
        digest.update(hashlib.sha256((PROJECT / path).read_bytes()).digest())
    return f"noria-{target.name}:{digest.hexdigest()[:12]}"


def variables_for(running: StepsConfig) -> dict[str, str]:
    """The environment, with the image of the code here as NORIA_PIPELINE_IMAGE unless another one is named."""
    known = dict(os.environ)
    if PIPELINE_IMAGE in running.variables and not known.get(PIPELINE_IMAGE):
        known[PIPELINE_IMAGE] = image_of(PIPELINE)
    return known


def build(target: ImageTarget, name: str, bundle: Path | None = None) -> str:
    """Build an image, with a model bundle in it if one is given, and return its name.

    Raises:
        NoriaError: the engine cannot build.
    """
    with tempfile.TemporaryDirectory(prefix="noria-image-") as folder:
        stage(target, Path(folder), bundle)
        base = os.environ.get(BASE)
        arguments = ["--build-arg", f"BASE={base}"] if base else []
        arguments += ["--build-arg", f"LOCK={target.lock}"] if target.name == PIPELINE.name else []
        docker("build", "--target", target.name, "--tag", name, *arguments, folder)
    return name


def stage(target: ImageTarget, folder: Path, bundle: Path | None = None) -> None:
    """Put into `folder` what the Dockerfile copies for this target, and nothing else."""
    # the classic builder passes through the stages of the service on its way to the pipeline's
    locks = {SERVICE.lock, target.lock}
    for path in [Path(_DOCKERFILE), *map(Path, sorted(locks)), *_files(target.code + target.others)]:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / path, place)
    if bundle is None:
        (folder / _BUNDLE).mkdir()
    else:
        shutil.copytree(bundle, folder / _BUNDLE)
        for path in (folder / _BUNDLE).rglob("*"):  # its owner alone may read it here; in the image another user does
            path.chmod(0o755 if path.is_dir() else 0o644)


def image_size(name: str) -> int:
    """Bytes of an image, its base included."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", name, quiet=True))


def docker(*arguments: str, quiet: bool = False) -> str:
    """A Docker command; `quiet` returns what it prints instead of showing it.

    Raises:
        NoriaError: Docker is not installed, or the command fails.
    """
    done = run_docker(*arguments, shown=not quiet)
    print(done.stderr or "", end="", file=sys.stderr)
    if done.returncode != 0:
        raise NoriaError(
            f"docker {arguments[0]} failed with status {done.returncode}",
            code="image.docker_failed",
            where="docker",
            fix="see what it said above",
        )
    return done.stdout or ""


def _files(names: tuple[str, ...]) -> list[Path]:
    """The files below some folders of the project, and single ones, in a fixed order; the compiler's are left out."""
    found = (path for name in names for path in (PROJECT / name, *(PROJECT / name).rglob("*")))
    return sorted(path.relative_to(PROJECT) for path in found if path.is_file() and "__pycache__" not in path.parts)
