"""The machine and the libraries that something was measured with."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

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


def versions(*libraries: str) -> dict[str, str]:
    """Python's version and those of some libraries."""
    return {"python": platform.python_version(), **{name: version(name) for name in libraries}}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
