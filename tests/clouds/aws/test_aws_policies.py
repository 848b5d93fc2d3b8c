"""Every action in the policies is one that Amazon knows."""

import functools
import json

import pytest
from amazon import POLICIES
from needed import installed

# permissions that no request has the name of
_PERMISSIONS = {"iam:PassRole", "s3:ListBucket"}


@functools.cache
def operations(service: str) -> set[str]:
    from botocore.session import get_session

    return set(get_session().get_service_model(service).operation_names)


@pytest.mark.parametrize("file", sorted(POLICIES.glob("*.json")), ids=lambda file: file.stem)
def test_amazon_knows_every_action(file: object) -> None:
    installed("botocore", "aws")
    for statement in json.loads(file.read_text(encoding="utf-8"))["Statement"]:  # type: ignore[attr-defined]
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            known = {name.replace("Objects", "Object") for name in operations(service)}
            assert action in _PERMISSIONS or name in known, action
