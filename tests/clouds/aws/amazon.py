"""An account at Amazon as docs/clouds.md makes it, kept by moto, which lets through what our policies allow."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from string import Template
from typing import Any

import httpx

from noria.system.workspace import PROJECT

POLICIES = PROJECT / "deploy" / "policies" / "aws"
ACCOUNT, REGION, BUCKET = "123456789012", "eu-central-1", "our-models"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/noria-pipeline"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/noria:1"
NAMES = {"NORIA_AWS_ACCOUNT": ACCOUNT, "AWS_DEFAULT_REGION": REGION, "NORIA_S3_BUCKET": BUCKET}


@dataclass(frozen=True)
class Amazon:
    """Where it answers, and who may ask."""

    url: str
    owner: Any
    """A boto3 session of somebody who may do everything."""

    @property
    def owner_environment(self) -> dict[str, str]:
        """For a process that may do everything."""
        known = self.owner.get_credentials()
        return self._environment(known.access_key, known.secret_key)

    def client(self, service: str) -> Any:
        return self.owner.client(service, endpoint_url=self.url)

    def person(self, *policies: str) -> dict[str, str]:
        """The environment of a new person with these policies."""
        iam, name = self.client("iam"), "-".join(policies)
        iam.create_user(UserName=name)
        for policy in policies:
            iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=as_moto_reads_it(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return self._environment(key["AccessKeyId"], key["SecretAccessKey"])

    def _environment(self, key: str, secret: str) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_ENDPOINT_URL": self.url}


def document(policy: str) -> Any:
    """A policy with the names of this account."""
    return json.loads(Template((POLICIES / f"{policy}.json").read_text(encoding="utf-8")).substitute(NAMES))


def as_moto_reads_it(policy: str) -> str:
    """moto knows the resources of S3 alone, and no conditions."""
    read = document(policy)
    for statement in read["Statement"]:
        statement.pop("Condition", None)
        if not statement["Action"][0].startswith("s3:"):
            statement["Resource"] = "*"
    return json.dumps(read)


@contextmanager
def account() -> Iterator[Amazon]:
    """The account, as long as the block lasts."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        nobody = Amazon(f"http://{host}:{port}", boto3.Session("none", "none", region_name=REGION))
        key, secret = _owner(nobody)
        made = Amazon(nobody.url, boto3.Session(key, secret, region_name=REGION))
        _furnish(made)
        yield made
    finally:
        server.stop()


def _owner(amazon: Amazon) -> tuple[str, str]:
    iam = amazon.client("iam")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.create_user(UserName="owner")
    iam.put_user_policy(UserName="owner", PolicyName="all", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName="owner")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def _furnish(amazon: Amazon) -> None:
    amazon.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    amazon.client("ecr").create_repository(repositoryName="noria")


@contextmanager
def policies_count(amazon: Amazon) -> Iterator[None]:
    """From now on moto refuses what no policy allows."""
    ask = f"{amazon.url}/moto-api/reset-auth"
    before = httpx.post(ask, content=b"0").json()["PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT"]
    try:
        yield
    finally:
        httpx.post(ask, content=before.encode())
