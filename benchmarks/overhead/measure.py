"""One side, measured from outside: a fresh process, so that neither finds warm imports or memory of the other."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from benchmarks.overhead.outcome import Outcome, Told
from benchmarks.overhead.phases import PYTHON
from noria.config.section import Section
from noria.system.workspace import PROJECT

Side = Literal["plain", "pipeline"]
_MODULES = {"plain": "benchmarks.overhead.plain", "pipeline": "benchmarks.overhead.piped"}


class Measured(Section):
    """One process."""

    side: Side
    rows: int
    total: float
    """Wall seconds from its start to its end."""
    cpu: float
    """Seconds of all cores together."""
    memory_mb: float
    """Peak resident memory in megabytes (10^6 bytes)."""
    load: float
    """The machine's load average over the minute before."""
    phases: dict[str, float]
    """Phase → wall seconds; together they are `total`."""
    outcome: Outcome


def measure(side: Side, rows: int, use_case: Path, workspace: Path) -> Measured:
    """Run one side on a use case.

    Raises:
        RuntimeError: it failed; what it said stands on standard error.
    """
    result, load = use_case.with_suffix(f".{side}.json"), os.getloadavg()[0]
    start = time.time()
    memory = run_module(_MODULES[side], [str(use_case), str(result)], workspace)
    end = time.time()
    told = Told.model_validate_json(result.read_text(encoding="utf-8"))
    phases = dict(told.phases)
    phases[PYTHON] = phases.get(PYTHON, 0.0) + (told.began - start) + (end - told.left)
    total = end - start - (told.left - told.ended)
    return Measured(
        side=side,
        rows=rows,
        total=total,
        cpu=told.cpu,
        memory_mb=memory,
        load=load,
        phases=phases,
        outcome=told.outcome,
    )


def run_module(module: str, arguments: list[str], workspace: Path) -> float:
    """Run a module in a new process; returns its peak resident memory in megabytes.

    Raises:
        RuntimeError: it failed.
    """
    environment = {
        **os.environ,
        "NORIA_HOME": str(workspace / "home"),
        "TMPDIR": str(workspace / "tmp"),
        "OMP_WAIT_POLICY": "PASSIVE",  # as Noria's own commands set it
        # compiled modules are kept, as they are after the first run of any program
        "PYTHONPYCACHEPREFIX": str(workspace / "compiled"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=PROJECT, env=environment)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{module} failed with status {process.returncode}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
