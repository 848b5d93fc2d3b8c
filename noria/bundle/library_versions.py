"""The libraries whose versions decide whether a stored model can be read."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from noria.bundle.manifest import Manifest
from noria.system.errors import NoriaError

_SKLEARN = ("numpy", "pandas", "scikit-learn", "skops")
_BY_KIND = {"rules": ("numpy", "pandas"), "xgboost": (*_SKLEARN, "xgboost")}


def libraries(kind: str) -> dict[str, str]:
    """Library → installed version, of those that a kind of model needs."""
    return {name: _installed(name) for name in _BY_KIND.get(kind, _SKLEARN)}


def check_libraries(manifest: Manifest, folder: Path) -> None:
    """Compare with what is installed.

    Raises:
        NoriaError: a library's major version is another one, or the manifest does not say.
    """
    for name, installed in libraries(manifest.kind).items():
        wrote = manifest.libraries.get(name, "none")
        if wrote.partition(".")[0] != installed.partition(".")[0]:
            raise NoriaError(
                f"the model bundle was written with {name} {wrote}, here is {installed}",
                code="bundle.library_version_differs",
                where=str(folder),
                fix=f"install {name} {wrote}, or train again",
            )


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        pass
    try:
        return version(f"{name}-cpu")  # XGBoost without CUDA, where a service runs
    except PackageNotFoundError as error:
        raise NoriaError(
            f"a model in its full form needs {name}, which is not installed",
            code="bundle.library_missing",
            fix="install noria with its extra `models`, or use `Predictor.of(bundle).predict_rows`, which needs the "
            "fast form only",
        ) from error
