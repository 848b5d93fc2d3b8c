"""Policies for the clouds: right in their form, and no wider than they must be."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from noria.system.workspace import PROJECT

POLICIES = PROJECT / "deploy" / "policies"
_NAMES = re.compile(r"\$\{(\w+)\}")
# what has no resource of its own
_ANYWHERE = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}
# the patterns that Microsoft's own table of permissions names for submitting jobs
_PATTERNS = {
    f"Microsoft.MachineLearningServices/workspaces/{each}" for each in ("*/read", "jobs/*", "metadata/codes/*/write")
}


def files(cloud: str, pattern: str) -> Any:
    found = sorted((POLICIES / cloud).glob(pattern))
    assert found
    return pytest.mark.parametrize("file", found, ids=lambda file: file.stem)


def read(file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)


@files("aws", "*.json")
def test_amazon_s_statements_are_whole_and_narrow(file: Path) -> None:
    policy = read(file)
    assert policy.keys() == {"Version", "Statement"}
    assert policy["Version"] == "2012-10-17"
    for statement in policy["Statement"]:
        subject = "Principal" if file.stem == "pipeline-trust" else "Resource"
        assert statement.keys() - {"Condition"} == {"Sid", "Effect", "Action", subject}
        assert statement["Effect"] == "Allow"
        assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in statement["Action"])
        if statement.get("Resource") == "*":
            assert set(statement["Action"]) <= _ANYWHERE


def test_amazon_s_statements_keep_to_one_prefix_of_one_bucket() -> None:
    text = " ".join(file.read_text(encoding="utf-8") for file in (POLICIES / "aws").glob("*.json"))
    assert set(re.findall(r"arn:aws:s3:::[^\"]*", text)) == {
        "arn:aws:s3:::${NORIA_S3_BUCKET}",
        "arn:aws:s3:::${NORIA_S3_BUCKET}/noria/*",
    }


def test_only_sagemaker_of_this_account_takes_the_role() -> None:
    (statement,) = read(POLICIES / "aws" / "pipeline-trust.json")["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "${NORIA_AWS_ACCOUNT}"}}


@files("azure", "*.json")
def test_azure_s_roles_are_whole_and_narrow(file: Path) -> None:
    role = read(file)
    assert role.keys() == {
        *("Name", "IsCustom", "Description", "AssignableScopes"),
        *("Actions", "NotActions", "DataActions", "NotDataActions"),
    }
    assert role["IsCustom"] is True
    (scope,) = role["AssignableScopes"]
    assert scope == "/subscriptions/${NORIA_AZURE_SUBSCRIPTION}/resourceGroups/${NORIA_AZURE_GROUP}"
    for action in role["Actions"] + role["DataActions"]:
        assert re.fullmatch(r"Microsoft\.[A-Za-z]+(/[A-Za-z*]+)+", action), action
        assert "*" not in action or action in _PATTERNS


@files("gcp", "[!b]*.yaml")
def test_google_s_roles_are_whole_and_narrow(file: Path) -> None:
    role = read(file)
    assert role.keys() == {"title", "description", "stage", "includedPermissions"}
    permissions = role["includedPermissions"]
    assert permissions == sorted(set(permissions))
    assert all(re.fullmatch(r"[a-z]+\.[A-Za-z]+\.[A-Za-z]+", permission) for permission in permissions)


@files("gcp", "bindings-*.yaml")
def test_google_s_bindings_name_roles_that_are_there(file: Path) -> None:
    policy = read(file)
    assert policy["version"] == 3  # older ones know no conditions
    for binding in policy["bindings"]:
        ours = re.fullmatch(r"projects/\$\{NORIA_GCP_PROJECT\}/roles/noria_(\w+)", binding["role"])
        assert binding["role"] == "roles/iam.serviceAccountUser" or (
            ours and (file.parent / f"{ours[1]}.yaml").exists()
        )
        assert binding["members"]
        assert "allUsers" not in str(binding["members"])


def test_at_google_only_names_that_begin_with_noria_are_read_or_written() -> None:
    for binding in read(POLICIES / "gcp" / "bindings-bucket.yaml")["bindings"]:
        permissions = read(POLICIES / "gcp" / f"{binding['role'].rpartition('noria_')[2]}.yaml")["includedPermissions"]
        if {"storage.objects.get", "storage.objects.create"} & set(permissions):
            assert "/objects/noria/" in binding["condition"]["expression"]


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_no_account_is_written_out(cloud: str) -> None:
    for file in (POLICIES / cloud).iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\d{12}|[0-9a-f]{8}-[0-9a-f]{4}", text)
        stacks = (PROJECT / "configs" / "stacks" / f"{cloud}.yaml").read_text(encoding="utf-8")
        assert {name for name in _NAMES.findall(text) if f"${{env:{name}}}" not in stacks} <= {"NORIA_GCP_PERSON"}
