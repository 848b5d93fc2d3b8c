"""Looks up the packages of every lock file in a list of known vulnerabilities, with pip-audit.

Ends with 1 where one is found that .ci/known_vulnerabilities.toml does not name with a reason. Only when the service
that holds the list cannot be reached, it says so and ends with 0; `--required` makes that an error too.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
_UNREACHABLE = re.compile(r"ConnectionError|Could not connect|Timeout|NameResolution|SSLError|ServiceError")


class Found(NamedTuple):
    """One vulnerability of one package."""

    package: str
    names: tuple[str, ...]
    """Its identifier and its aliases."""
    fixed_in: str


def main() -> int:
    """Ask, say what was found, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, action="append", help="by default every lock file of the project")
    parser.add_argument("--known", type=Path, default=ROOT / ".ci" / "known_vulnerabilities.toml")
    parser.add_argument("--required", action="store_true", help="an unreachable service is an error")
    parser.add_argument("--osv-url", help="ask this service, which speaks as OSV does, instead of PyPI")
    options = parser.parse_args()
    service = ["--vulnerability-service", "osv", "--osv-url", options.osv_url] if options.osv_url else []
    packages: list[dict[str, Any]] = []
    locks: list[Path] = options.lock or lock_files(ROOT)
    for pins in rounds(locks):
        done = _asked(pins, service)
        try:
            packages += json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError):
            return _failed(done.stderr, options.required)
    print(f"pip-audit: {len(locks)} lock file(s): {', '.join(lock.name for lock in locks)}")
    skipped = [package for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return _unreachable(f"it knows none of {len(packages)} packages", options.required)
    return _report(packages, skipped, tomllib.loads(options.known.read_text(encoding="utf-8")))


def lock_files(root: Path) -> list[Path]:
    """Every lock file: of the environments, of the clouds' tests, and of the benchmarks' other servers."""
    peers = root / "benchmarks" / "served" / "requirements-peers.txt"
    return sorted([*root.glob("requirements*.lock"), *root.glob("tests/**/requirements.lock"), peers])


def rounds(locks: Sequence[Path]) -> list[list[str]]:
    """The pins of all lock files, each once: as many lists as the package with most versions has, as pip-audit takes
    one version of a package at a time."""
    versions: dict[str, list[str]] = {}
    for lock in locks:
        lines = [line.removesuffix("\\").strip() for line in lock.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            if line and not line.startswith(("#", "--hash")):
                # without its marker, which would leave out what is installed elsewhere
                pin = line.partition(" ; ")[0].strip()
                known = versions.setdefault(pin.partition("==")[0], [])
                known += [pin] * (pin not in known)
    most = max(map(len, versions.values()), default=0)
    return [[known[place] for known in versions.values() if place < len(known)] for place in range(most)]


def _asked(pins: Sequence[str], service: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "lock"
        lock.write_text("\n".join(pins) + "\n", encoding="utf-8")
        return subprocess.run(  # noqa: S603 - our own command
            [
                *(sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--no-deps", "--disable-pip"),
                *("--format", "json", "--progress-spinner", "off", *service),
            ],
            capture_output=True,
            text=True,
            check=False,
        )


def _report(packages: list[dict[str, Any]], skipped: list[dict[str, Any]], known: dict[str, str]) -> int:
    found = [
        Found(package["name"], (one["id"], *one["aliases"]), ", ".join(one["fix_versions"]) or "no version yet")
        for package in packages
        for one in package.get("vulns", [])
    ]
    accepted = {name for one in found for name in one.names if name in known}
    new = [one for one in found if not accepted.intersection(one.names)]
    for name in sorted(accepted):
        print(f"pip-audit: {name} is accepted: {known[name]}")
    for name in sorted(set(known) - accepted):
        print(f"pip-audit: {name} is accepted but no longer found; take it out of the list")
    for one in new:
        print(f"pip-audit: {one.package} has {' = '.join(one.names)}; mended in {one.fixed_in}")
    for package in skipped:
        print(f"pip-audit: {package['name']} was not checked: {package['skip_reason']}")
    if new or skipped:
        return 1
    print(f"pip-audit: {len(packages)} packages, no known vulnerability that is not accepted")
    return 0


def _failed(said: str, required: bool) -> int:
    if _UNREACHABLE.search(said):
        return _unreachable((said.strip().splitlines() or [""])[-1], required)
    print(f"pip-audit failed:\n{said}", file=sys.stderr)
    return 1


def _unreachable(reason: str, required: bool) -> int:
    print(f"pip-audit: NOTHING WAS CHECKED, the list of vulnerabilities cannot be reached: {reason}")
    return int(required)


if __name__ == "__main__":
    sys.exit(main())
