"""The account, and the stack `aws` registered at a ZenML server by a person with the policy `submit`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from amazon import IMAGE, NAMES, Amazon, account, policies_count
from needed import installed


@pytest.fixture(scope="session")
def amazon() -> Iterator[Amazon]:
    installed("moto", "aws")
    with account() as made:
        yield made


@pytest.fixture(scope="session")
def submitter(amazon: Amazon, zenml_server: Path) -> Iterator[Amazon]:
    """This process is a person who may submit, and who has set what the stack file asks for."""
    told = amazon.person("submit") | NAMES | {"NORIA_PIPELINE_IMAGE": IMAGE}
    told |= {"NORIA_MLFLOW_URL": "http://127.0.0.1:9", "NORIA_MLFLOW_TOKEN": "hunter2"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        with policies_count(amazon):
            yield amazon
