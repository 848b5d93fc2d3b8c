"""The wheel holds the package alone, and its base is enough to ask a service and a model bundle."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import mixed
import pytest

from noria.serving.predictor import Predictor
from noria.system.workspace import PROJECT

pytestmark = pytest.mark.e2e
_UNREACHABLE = re.compile(
    r"failed to fetch|dns error|error sending request|connect(ion)? (error|refused|timed out)|network", re.IGNORECASE
)
_INSTALLED = """
import importlib.util, json, sys
from pathlib import Path

import noria
from noria.bundle import Bundle
from noria.client import Client
from noria.serving.predictor import Predictor
from noria.system.errors import NoriaError
from noria.system.workspace import home

assert "site-packages" in noria.__file__, noria.__file__
with Client("http://127.0.0.1:9") as client:
    assert not client.ready()
bundle = Bundle.open(Path(sys.argv[1]))
answers = Predictor.of(bundle).predict_rows(json.loads(sys.stdin.read()))
try:
    Bundle.load(Path(sys.argv[1]))
    full = "loaded"
except NoriaError as error:
    full = str(error)
print(json.dumps({
    "answers": answers,
    "full": full,
    "home": str(home()),
    "there": [name for name in sys.argv[2].split() if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the environment's own backend: nothing is fetched for it."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("noria-*.whl")
    return found


@pytest.fixture(scope="module")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and its base dependencies, in the versions of the lock."""
    folder = tmp_path_factory.mktemp("clean")
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    versions = re.findall(r"^([\w.-]+==[^\s;]+(?: ;[^\\\n]+)?)", lock, re.MULTILINE)
    (folder / "constraints.txt").write_text("\n".join(versions), encoding="utf-8")
    python = folder / "venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder / "venv"], check=True)
    install = ["pip", "install", "--python", python, "--constraint", folder / "constraints.txt", wheel]
    for attempt in ("--offline", None):  # what was fetched once need not be fetched again
        done = subprocess.run(
            [*uv, *([attempt] if attempt else []), *install], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return python
    if _UNREACHABLE.search(done.stderr):
        pytest.skip(f"the package registry cannot be reached: {done.stderr.strip().splitlines()[-1]}")
    pytest.fail(f"the wheel cannot be installed: {done.stderr}")


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "noria"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert names == {name for name in tracked if (PROJECT / name).is_file()}
    assert "noria/py.typed" in names
    assert any(name.endswith(".html") for name in names)


def test_its_metadata_names_license_and_extras(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        (path,) = [name for name in content.namelist() if name.endswith("METADATA")]
        metadata = content.read(path).decode()
        assert any(name.endswith("licenses/LICENSE") for name in content.namelist())
    assert "License-Expression: Apache-2.0" in metadata
    extras = set(re.findall(r"^Provides-Extra: (.+)$", metadata, re.MULTILINE))
    assert {"models", "store", "train", "monitoring", "alerts", "ray", "kubernetes"} <= extras
    assert re.search(r"^Requires-Dist: pandas<3.1,>=3.0; extra == 'models'$", metadata, re.MULTILINE)


@pytest.mark.parametrize("kind", ["linear", "xgboost"])
def test_the_base_asks_a_service_and_a_bundle(kind: str, clean_python: Path, tmp_path: Path) -> None:
    bundle = mixed.write(kind, "binary", tmp_path / "bundle")
    rows = mixed.odd_rows(20)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NORIA_", "PYTHON"))}
    strangers = "service steps app cli pipelines materializers tests run zenml sklearn xgboost pandas"
    done = subprocess.run(
        [clean_python, "-I", "-c", _INSTALLED, bundle.folder, strangers],
        input=json.dumps(rows),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["there"] == []
    assert said["answers"] == Predictor.of(bundle).predict_rows(rows)
    assert len(said["answers"]) == len(rows)
    assert "extra `models`" in said["full"]
    assert said["home"] == str(tmp_path / ".noria")
