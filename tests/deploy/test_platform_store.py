"""The S3-compatible store of deploy/compose, moto's server in the place of SeaweedFS: the stack's keys open it."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from docker_engine import docker
from test_platform import free_ports

from app.servers import compose_platform
from noria.system.workspace import PROJECT

pytestmark = [pytest.mark.e2e, pytest.mark.docker]
IMAGE = "noria-test-s3"
ASK = """
import boto3, json, os, sys
told = json.loads(sys.stdin.read())
s3 = boto3.client("s3", endpoint_url=told["NORIA_S3_ENDPOINT"], region_name="us-east-1",
    aws_access_key_id=told["NORIA_S3_KEY"], aws_secret_access_key=told["NORIA_S3_SECRET"])
s3.put_object(Bucket=told["NORIA_S3_BUCKET"], Key="artifacts/one", Body=b"model")
print(s3.get_object(Bucket=told["NORIA_S3_BUCKET"], Key="artifacts/one")["Body"].read().decode())
"""


@pytest.fixture
def store(compose_engine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What `make platform ARGS=store` starts beside the servers, and the variables that it hands on."""
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    docker("build", "--tag", IMAGE, str(PROJECT / "tests" / "deploy" / "s3"), timeout_s=300)
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    monkeypatch.setattr(compose_platform, "_START_S", 30.0)
    project = f"noria-test-{secrets.token_hex(3)}"
    # the image of pipelines has the same client, and takes minutes to build
    told = {"COMPOSE_PROJECT_NAME": project, "S3_IMAGE": IMAGE, "NORIA_PIPELINE_IMAGE": IMAGE}
    told |= {"S3_PORT": str(free_ports(1)[0])}
    compose_platform.settings_file().write_text("".join(f"{name}={value}\n" for name, value in told.items()))
    try:
        yield compose_platform.start_store()
    finally:
        compose_platform.compose("--profile", "store", "down", "--volumes")


def test_a_bucket_is_there_for_whoever_has_the_keys_and_for_nobody_else(store: dict[str, str]) -> None:
    assert httpx.get(store["NORIA_S3_ENDPOINT"]).status_code == 403
    told = json.dumps(store)
    # as a step does it: from a container of this machine that has no part in Compose's networks
    asked = docker("run", "--rm", "--interactive", IMAGE, "python", "-c", ASK, given=told)
    assert asked.stdout.strip() == "model"
    assert compose_platform.start_store() == store, "a second start changes the keys"
    kept = compose_platform.known_settings()
    assert kept["NORIA_S3_SECRET"] == store["NORIA_S3_SECRET"]
