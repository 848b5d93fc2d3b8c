"""The software bill of materials of an image, in CycloneDX: the packages of the lock file that it is installed from.

Run as a file while an image is built, with Python alone: `python noria/deployment/sbom.py LOCK > sbom.cdx.json`.
"""

import json
import re
import sys
import uuid
from pathlib import Path
from typing import Any

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def sbom(lock: str, name: str) -> dict[str, Any]:
    """A CycloneDX 1.5 document; the same for the same lock file.

    Args:
        lock: the text of a lock file with pinned versions and hashes.
        name: what the packages are for.

    Returns:
        One component per package. The hashes are those of its distributions, of which one is installed.
    """
    components = []
    for entry in lock.replace("\\\n", " ").splitlines():
        found = _PIN.match(entry)
        if found is None:
            continue
        package, version = found.groups()
        place = f"pkg:pypi/{re.sub('[-_.]+', '-', package).lower()}@{version}"
        hashes = [{"alg": "SHA-256", "content": content} for content in _HASH.findall(entry)]
        source = {"type": "distribution", "url": place, "hashes": hashes}
        component: dict[str, Any] = {"type": "library", "bom-ref": place, "name": package, "version": version}
        components.append(component | {"purl": place, "externalReferences": [source]})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, lock)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": name, "name": name}},
        "components": components,
    }


if __name__ == "__main__":
    file = Path(sys.argv[1])
    print(json.dumps(sbom(file.read_text(encoding="utf-8"), sys.argv[2]), indent=1))
