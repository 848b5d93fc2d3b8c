"""What tests of a cloud share."""

import importlib.util

import pytest


def installed(package: str, cloud: str) -> None:
    """Skip, unless this is the environment of the cloud."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the packages of {cloud} are not installed here: make clouds CLOUDS={cloud}")
