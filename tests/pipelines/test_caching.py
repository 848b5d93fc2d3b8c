"""Steps run again when, and only when, something that they depend on has changed."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pipeline_runs import runs_of, statuses

from app.commands import explore as commands
from noria.config import UseCase
from noria.system.workspace import PROJECT
from tests.small_cases import churn_table, small_case

pytestmark = pytest.mark.slow

ALL = {"ingest", "validate", "explore"}
Explore = Callable[[UseCase], set[str]]


@pytest.fixture(scope="module")
def caching(pipeline_home: Path) -> ModuleType:
    from noria.bundle import code_digest

    return code_digest


@pytest.fixture(scope="module")
def copied(caching: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the code, which the cache keys are made of in this module's tests."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(PROJECT / "noria", copy / "noria")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(caching, "PROJECT", copy)
        yield copy
    caching.code_digest.cache_clear()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "few.csv"


@pytest.fixture
def mini(data: Path, copied: Path) -> UseCase:
    churn_table(400).to_csv(data, index=False)
    return small_case("mini_churn", data)


@pytest.fixture
def run_steps(caching: ModuleType) -> Explore:
    """Explores in what could be a new process, and tells which steps ran."""

    def explore(use_case: UseCase) -> set[str]:
        caching.code_digest.cache_clear()
        commands.explore(use_case, None)
        found = statuses(runs_of(use_case, "exploration")[0])
        assert set(found) == ALL
        return {name for name, status in found.items() if status != "cached"}

    return explore


@pytest.mark.e2e
def test_nothing_runs_twice_and_changes_of_serving_do_not_matter(mini: UseCase, run_steps: Explore, data: Path) -> None:
    run_steps(mini)
    assert run_steps(mini) == set()
    elsewhere = small_case(
        mini.name, data, serving={"port": 4321, "workers": 2}, monitoring={"min_rows": 10, "window_days": 3}
    )
    assert elsewhere.serving != mini.serving
    assert run_steps(elsewhere) == set()


@pytest.mark.e2e
def test_changed_rows_run_again(mini: UseCase, run_steps: Explore, data: Path) -> None:
    run_steps(mini)
    changed = churn_table(400)
    changed.loc[0, "monthly_charges"] += 1
    changed.to_csv(data, index=False)
    assert run_steps(mini) == ALL


@pytest.mark.e2e
def test_a_changed_expectation_validates_again(mini: UseCase, run_steps: Explore, data: Path) -> None:
    run_steps(mini)
    stricter = small_case(mini.name, data, data={"expectations": {"max_quarantined": 0.01}})
    assert "validate" in run_steps(stricter)


@pytest.mark.parametrize(
    "change",
    [
        lambda noria: (noria / "data/validate.py").open("a").write("\n# changed\n"),
        lambda noria: (noria / "models/new_module.py").write_text("X = 1\n"),
        lambda noria: (noria / "system/errors.py").rename(noria / "system/mistakes.py"),
        lambda noria: next(noria.rglob("*.html*")).open("a").write("<!-- changed -->"),
    ],
    ids=["edited", "added", "renamed", "template"],
)
def test_any_change_in_the_domain_code_changes_the_key(
    caching: ModuleType,
    copied: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], object],
) -> None:
    shutil.copytree(copied / "noria", tmp_path / "noria")
    monkeypatch.setattr(caching, "PROJECT", tmp_path)
    caching.code_digest.cache_clear()
    before = caching.code_digest()
    change(tmp_path / "noria")
    caching.code_digest.cache_clear()
    assert caching.code_digest() != before


def test_compiled_python_does_not_change_the_key(caching: ModuleType, copied: Path) -> None:
    caching.code_digest.cache_clear()
    before = caching.code_digest()
    (copied / "noria/__pycache__").mkdir(exist_ok=True)
    (copied / "noria/__pycache__/errors.cpython-311.pyc").write_bytes(b"other")
    caching.code_digest.cache_clear()
    assert caching.code_digest() == before


@pytest.mark.e2e
def test_changed_domain_code_runs_again(mini: UseCase, run_steps: Explore, copied: Path) -> None:
    run_steps(mini)
    assert run_steps(mini) == set()
    with (copied / "noria/data/expectations.py").open("a", encoding="utf-8") as code:
        code.write("\n# changed\n")
    assert run_steps(mini) == ALL


def test_other_versions_of_the_libraries_change_the_key(
    caching: ModuleType, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stored model of another scikit-learn may not even be readable."""
    caching.code_digest.cache_clear()
    before = caching.code_digest()
    monkeypatch.setattr("noria.bundle.library_versions.version", lambda name: "99.0")
    caching.code_digest.cache_clear()
    assert caching.code_digest() != before
