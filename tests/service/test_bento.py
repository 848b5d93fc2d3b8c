"""The Bento stands on its own."""

import ast
import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from noria.bundle import Bundle
from noria.system.workspace import Workspace
from service.bento_build import build_bento, requirements
from tests.errors_raised import raises

pytestmark = pytest.mark.slow

_LOADED = """
import sys
from pathlib import Path
import service.service, service.prediction.predict
from noria.bundle import Bundle
from noria.predictions import PredictionStore
Bundle.load(Path("bundle"))
ours = [module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] in ("noria", "service")]
print(*sorted(ours), sep="\\n")
"""


def test_its_code_and_bundle_load_from_its_own_folder_with_what_it_requires(bento: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", _LOADED]
    done = subprocess.run(command, cwd=(bento / "src"), env=clean, capture_output=True, text=True, check=True)
    loaded = [Path(line) for line in done.stdout.split()]
    assert len(loaded) > 20
    assert all(path.is_relative_to(bento / "src") for path in loaded)
    foreign = set().union(*(_imported(path) for path in loaded)) - {"noria", "service", "xgboost"}
    distributions = packages_distributions()
    needed = {distributions[module][0].lower() for module in foreign if module in distributions}
    assert needed <= _required(bento)


def _imported(path: Path) -> set[str]:
    """The packages that a module imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def _required(bento: Path) -> set[str]:
    lines = (bento / "env" / "python" / "requirements.txt").read_text().splitlines()
    names = {Requirement(line).name.lower() for line in lines if line.strip()}
    assert {"bentoml", "xgboost-cpu"} <= names
    return names | {name.replace("-", "_") for name in names}


def test_the_same_bundle_and_code_give_the_same_bento(bento: Path, bundle: Bundle, use_case: object) -> None:
    before = (bento / "bento.yaml").stat().st_mtime_ns
    again = build_bento(bundle, Workspace("telco_churn"))
    if again == bento:  # unless the code is being changed at this very moment
        assert (again / "bento.yaml").stat().st_mtime_ns == before
    assert Bundle.load(bento / "src" / "bundle").manifest == bundle.manifest


def test_no_cuda_is_required() -> None:
    assert not any("nvidia" in line or "cuda" in line for line in requirements())


def test_a_bento_that_cannot_be_built_says_why(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    workspace = Workspace("blocked")
    (workspace.service / "bentoml").write_text("a file where a folder belongs")
    with raises("deployment.bento_not_built"):
        build_bento(bundle, workspace)
    assert [path.name for path in workspace.service.iterdir()] == ["bentoml"]
