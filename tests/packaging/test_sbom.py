"""The bill of materials of an image names every package of its lock file, in CycloneDX."""

import json
import re
import subprocess
import sys

import pytest
from cyclonedx.model.bom import Bom

from noria.system.workspace import PROJECT

LOCKS = sorted(path.name for path in PROJECT.glob("requirements*.lock"))


def written(lock: str) -> str:
    script = PROJECT / "noria" / "deployment" / "sbom.py"
    # -I -S: as in the image, before anything is installed
    command = [sys.executable, "-I", "-S", str(script), str(PROJECT / lock), "noria"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_a_component_with_its_hashes(lock: str) -> None:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    bom = Bom.from_json(json.loads(written(lock)))  # type: ignore[attr-defined]  # added by a decorator
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==([^\s;]+)", text, re.MULTILINE)
    assert {(one.name, one.version) for one in bom.components} == set(pins)
    hashes = [one.content for part in bom.components for link in part.external_references for one in link.hashes]
    assert sorted(set(hashes)) == sorted(set(re.findall(r"sha256:([0-9a-f]{64})", text)))


def test_the_same_lock_file_gives_the_same_document() -> None:
    assert written(LOCKS[-1]) == written(LOCKS[-1])


def test_both_images_carry_theirs() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    for stage in ("service", "pipeline"):
        part = dockerfile.partition(f" AS {stage}\n")[2].partition("\nFROM ")[0]
        assert "noria/deployment/sbom.py /tmp/" in part
