"""Artifacts in Cloud Storage, through ZenML's own flavor, and what the preflight says about it."""

from pathlib import Path

import httpx
import pytest
from bundles import churn, make
from google_here import BUCKET
from needed import Checked
from stored import write_and_read

pytestmark = pytest.mark.e2e


def objects(storage: str) -> list[str]:
    found = httpx.get(f"{storage}/storage/v1/b/{BUCKET}/o").raise_for_status().json()
    return [each["name"] for each in found.get("items", [])]


def test_artifacts_come_back_as_they_were(submitter: str, tmp_path: Path) -> None:
    from zenml.client import Client

    from app.stacks.registration import stack_for_one_run

    with stack_for_one_run("gcp"):
        store = Client().active_stack.artifact_store
        write_and_read(store, f"{store.path}/tests", make(churn(), "linear", tmp_path / "bundle"))
    assert "noria/tests/table/table.parquet" in objects(submitter)


def test_all_is_well(submitter: str, checked: Checked) -> None:
    assert checked("gcp", "artifact_store") == []
    assert not [name for name in objects(submitter) if "noria-check" in name]


def test_a_bucket_that_is_not_there(submitter: str, checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_GCS_BUCKET", "nobody-s")
    (told,) = checked("gcp", "artifact_store")
    assert "gs://nobody-s/noria cannot be used" in told.what
    assert "docs/clouds.md" in told.fix


def test_nobody_is_logged_in(submitter: str, checked: Checked) -> None:
    (told,) = checked("gcp", "container_registry")
    assert told.fix == "say who you are: gcloud auth application-default login, or the role of this machine"
