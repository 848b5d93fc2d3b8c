"""`run.py stack check aws`: what this person may not do is told before anything is submitted."""

import pytest
from amazon import BUCKET, IMAGE, Amazon
from needed import Checked

pytestmark = pytest.mark.e2e


def test_all_is_well_but_for_the_registry_that_only_answers_at_amazon(submitter: Amazon, checked: Checked) -> None:
    assert checked("aws", "artifact_store") == []
    (told,) = checked("aws", "container_registry")
    assert IMAGE.partition("/")[0] in told.what  # logged in: what does not answer is the registry's own address
    assert "cannot be reached" in told.what
    left = submitter.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="noria/noria-check")
    assert left["KeyCount"] == 0


def test_a_person_who_may_only_read(submitter: Amazon, checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in submitter.person("service").items():
        monkeypatch.setenv(name, value)
    (told,) = checked("aws", "artifact_store")
    assert f"s3://{BUCKET}/noria cannot be used" in told.what
    assert "deploy/policies/aws/submit.json" in told.fix


def test_a_bucket_that_is_not_there(submitter: Amazon, checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in submitter.owner_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NORIA_S3_BUCKET", "nobody-s")
    (told,) = checked("aws", "artifact_store")
    assert "s3://nobody-s/noria cannot be used" in told.what
    assert "docs/clouds.md" in told.fix


@pytest.mark.parametrize("kind", ["artifact_store", "container_registry"])
def test_a_stranger(submitter: Amazon, checked: Checked, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA0000000000000000")
    (told,) = checked("aws", kind)
    assert told.fix == "say who you are: aws sso login, or the role of this machine"


def test_an_image_that_is_kept_elsewhere(submitter: Amazon, checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_PIPELINE_IMAGE", "noria:1")
    (told,) = checked("aws", "container_registry")
    assert "`noria:1` is not in the registry" in told.what
