"""One ZenML server and one workspace for the tests of a cloud, in the environment of that cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from needed import Checked, findings
from zenml_server import running_server


@pytest.fixture(scope="session")
def zenml_server(pipeline_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The client of this process talks to a server; the workspace."""
    with running_server(tmp_path_factory.mktemp("zenml")) as environment, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(pipeline_home))
        for name, value in environment.items():
            patch.setenv(name, value)
        yield pipeline_home


@pytest.fixture
def checked(zenml_server: Path) -> Checked:
    """What `stack check` says about one component."""
    return findings
