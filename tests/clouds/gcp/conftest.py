"""Google's storage, spoken by an emulator, and the stack `gcp` registered at a ZenML server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google_here import BUCKET, NAMES, NOWHERE
from needed import installed

from tests.service.serving import free_port


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """The address of a storage with one bucket."""
    installed("gcp_storage_emulator", "gcp")
    from gcp_storage_emulator.server import create_server

    port = free_port()
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="session")
def submitter(storage: str, zenml_server: Path) -> Iterator[str]:
    """This process has set what the stack file asks for."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (NAMES | NOWHERE | {"STORAGE_EMULATOR_HOST": storage}).items():
            patch.setenv(name, value)
        yield storage
