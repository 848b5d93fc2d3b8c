"""One workspace, and so one ZenML store, for all tests of this process that run pipelines."""

from pathlib import Path

import pytest

from pipelines.platform.environment import prepare_environment


@pytest.fixture(scope="session")
def pipeline_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set before ZenML is imported, which reads its environment once."""
    home = tmp_path_factory.mktemp("noria_home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORIA_HOME", str(home))
        prepare_environment()
    return home
