"""One workspace, and so one ZenML store, for all tests of this process that run pipelines."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

import run
from noria import progress
from pipelines.platform.environment import prepare_environment

if not hasattr(sys.modules["__main__"], "__file__"):  # a worker of pytest-xdist; ZenML asks where the code lies
    sys.modules["__main__"].__file__ = run.__file__


# a slow machine says nothing about the code
settings.register_profile("noria", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noria")


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _listens_afterwards_as_before() -> Iterator[None]:
    """Whoever listened to the progress before a test does so after it: the command line, as a rule."""
    before = list(progress._listeners)
    yield
    progress._listeners[:] = before


@pytest.fixture(scope="session")
def pipeline_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set before ZenML is imported, which reads its environment once."""
    home = tmp_path_factory.mktemp("noria_home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(home))
        prepare_environment()
    return home


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine; where none is to be had, the test is skipped."""
    from docker_engine import why_no_engine

    reason = why_no_engine()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`python run.py …` in this process."""

    def ended(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["run.py", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run.main()
        return Ended(int(end.value.code or 0), *capsys.readouterr())

    return ended
