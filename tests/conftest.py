"""One workspace, and so one ZenML store, for all tests of this process that run pipelines."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

import run
from app.environment import prepare_environment
from cli.main import main
from noria.system import progress
from noria.system.files import scratch_folder

if not hasattr(sys.modules["__main__"], "__file__"):  # a worker of pytest-xdist; ZenML asks where the code lies
    sys.modules["__main__"].__file__ = run.__file__


# a slow machine says nothing about the code
settings.register_profile("noria", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noria")


HOME = pytest.StashKey[Path]()
PIPELINES = "tests/pipelines/"
"""One model, and one home of ZenML and MLflow, for all that is below it."""


def pytest_configure(config: pytest.Config) -> None:
    """ZenML and MLflow read their environment once, when they are imported: some test modules do so at once."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        return  # runs no test, and its workers would inherit its environment
    home = config.stash[HOME] = scratch_folder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(home))
        prepare_environment()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file is run by one process, and so are those of `tests/pipelines` together."""
    from xdist.scheduler import LoadFileScheduling

    class ByPlace(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return PIPELINES if nodeid.startswith(PIPELINES) else str(super()._split_scope(nodeid))

    return ByPlace(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of several processes none should begin with the longest files when the others have ended."""

    def rank(item: pytest.Item) -> int:
        marks = [item.nodeid.startswith(PIPELINES), bool(item.get_closest_marker("docker"))]
        return [*marks, bool(item.get_closest_marker("e2e")), True].index(True)

    ranks: dict[Path, int] = {}
    for item in items:
        ranks[item.path] = min(rank(item), ranks.get(item.path, rank(item)))
    items.sort(key=lambda item: ranks[item.path])


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _listens_afterwards_as_before() -> Iterator[None]:
    """Whoever listened to the progress before a test does so after it: the command line, as a rule."""
    before = list(progress.logger.handlers)
    yield
    progress.logger.handlers[:] = before


@pytest.fixture(autouse=True)
def _leaves_no_lock() -> Iterator[None]:
    """A signal can come between taking logging's lock and the `try` that gives it back.

    The command line ends then, but here other threads would wait for the lock without end.
    """
    yield
    while logging._lock._is_owned():  # type: ignore[attr-defined]
        logging._lock.release()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def pipeline_home(pytestconfig: pytest.Config) -> Path:
    """The one home that ZenML and MLflow know in this process."""
    return pytestconfig.stash[HOME]


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine; where none is to be had, the test is skipped."""
    from docker_engine import why_no_engine

    reason = why_no_engine()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def compose_engine(engine: None) -> None:
    """The same with Docker Compose."""
    from docker_engine import why_no_compose

    reason = why_no_compose()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`python run.py …` in this process."""

    def ended(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["run.py", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return Ended(int(end.value.code or 0), *capsys.readouterr())

    return ended
