"""Azure's storage, spoken by Azurite, and the stack `azure` registered at a ZenML server."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from microsoft import CONTAINER, IMAGE, NAMES, NOWHERE, connection, make_container
from needed import installed, wait_for_port

from tests.service.serving import free_port


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """How to connect to a storage account with one container."""
    installed("azure.storage.blob", "azure")
    azurite = os.environ.get("AZURITE", "azurite-blob")
    if shutil.which(azurite) is None:
        pytest.skip("Azurite is not installed: npm install --global azurite, or AZURITE=path of azurite-blob")
    port = free_port()
    command = [azurite, "--blobPort", str(port), "--location", str(tmp_path_factory.mktemp("azurite")), "--silent"]
    with subprocess.Popen([*command, "--skipApiVersionCheck"], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for_port(port)
            make_container(connection(port))
            yield connection(port)
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def submitter(storage: str, zenml_server: Path) -> Iterator[str]:
    """This process has set what the stack file asks for; ZenML keeps how to connect to the storage."""
    told = NAMES | NOWHERE | {"NORIA_BLOB_CONTAINER": CONTAINER, "NORIA_PIPELINE_IMAGE": IMAGE}
    told |= {"NORIA_MLFLOW_URL": "http://127.0.0.1:9", "NORIA_MLFLOW_TOKEN": "hunter2"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        from app.environment import zenml_client

        zenml_client().create_secret("noria-azure", {"connection_string": storage})
        yield storage
