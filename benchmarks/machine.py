"""The machine and the libraries that something was measured with."""

import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil


def now() -> str:
    """The time, as results have it."""
    return datetime.now(UTC).isoformat(timespec="minutes")


def machine() -> dict[str, str]:
    """What this machine is."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": platform.platform(terse=True),
    }


class Stolen:
    """How much of the processors' time a virtual machine's host gives to others, from now on."""

    def __init__(self) -> None:
        self._before, self._since = _stolen_s(), time.monotonic()

    def share(self) -> float:
        """Of all processors together, 0 to 1; 0 where the system does not tell."""
        passed = (time.monotonic() - self._since) * (os.cpu_count() or 1)
        return min(1.0, (_stolen_s() - self._before) / passed)


def versions(*libraries: str) -> dict[str, str]:
    """Python's version and those of some libraries."""
    return {"python": platform.python_version(), **{name: version(name) for name in libraries}}


def circumstances(document: dict[str, Any]) -> str:
    """When, where and with which libraries a result was measured, in one line; its keys are those of this module."""
    facts = {**document["machine"], **document["versions"]}
    return " · ".join([document["at"], *(f"{key}: {value}" for key, value in facts.items())])


def _stolen_s() -> float:
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
