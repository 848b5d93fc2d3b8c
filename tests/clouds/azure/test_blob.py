"""Artifacts in Blob storage, through ZenML's own flavor, and what the preflight says about it."""

from pathlib import Path

import pytest
from bundles import churn, make
from microsoft import CONTAINER, blobs, connection
from needed import Checked
from stored import write_and_read

pytestmark = pytest.mark.e2e


def test_artifacts_come_back_as_they_were(submitter: str, tmp_path: Path) -> None:
    from zenml.client import Client

    from app.stacks.registration import stack_for_one_run

    with stack_for_one_run("azure"):
        store = Client().active_stack.artifact_store
        write_and_read(store, f"{store.path}/tests", make(churn(), "linear", tmp_path / "bundle"))
    assert "noria/tests/table/table.parquet" in blobs(submitter)


def test_all_is_well(submitter: str, checked: Checked) -> None:
    assert checked("azure", "artifact_store") == []
    assert not [name for name in blobs(submitter) if "noria-check" in name]


def test_a_container_that_is_not_there(submitter: str, checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_BLOB_CONTAINER", "nobody-s")
    (told,) = checked("azure", "artifact_store")
    assert "az://nobody-s/noria cannot be used" in told.what
    assert "docs/clouds.md" in told.fix


def test_another_s_key(submitter: str, checked: Checked) -> None:
    from zenml.client import Client

    port = int(submitter.partition("127.0.0.1:")[2].partition("/")[0])
    Client().update_secret("noria-azure", add_or_update_values={"connection_string": connection(port, "bm9ib2R5")})
    try:
        (told,) = checked("azure", "artifact_store")
    finally:
        Client().update_secret("noria-azure", add_or_update_values={"connection_string": submitter})
    assert f"az://{CONTAINER}/noria cannot be used" in told.what
    assert told.fix == "say who you are: az login, or the role of this machine"


def test_nobody_is_logged_in(submitter: str, checked: Checked) -> None:
    (told,) = checked("azure", "container_registry")
    assert told.fix == "say who you are: az login, or the role of this machine"
