"""Artifacts in S3, through ZenML's own flavor, with the rights of the policies and no others."""

from pathlib import Path

import pytest
from amazon import BUCKET, Amazon
from bundles import churn, make
from stored import write_and_read

pytestmark = pytest.mark.e2e


def test_artifacts_come_back_as_they_were(submitter: Amazon, tmp_path: Path) -> None:
    from zenml.client import Client

    from app.stacks.registration import stack_for_one_run

    with stack_for_one_run("aws"):
        store = Client().active_stack.artifact_store
        assert store.path == f"s3://{BUCKET}/noria"
        write_and_read(store, f"{store.path}/tests", make(churn(), "linear", tmp_path / "bundle"))

    import boto3
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError, match="Denied"):
        boto3.client("s3").put_object(Bucket=BUCKET, Key="elsewhere/table", Body=b"")
