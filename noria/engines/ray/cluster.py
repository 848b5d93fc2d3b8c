"""The connection to Ray: a cluster that runs, or one that is started on this machine."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from noria.config.engine import EngineConfig
from noria.config.load import expand_environment
from noria.system import progress
from noria.system.errors import NoriaError, first_line
from noria.system.signals import raise_if_stopped

_KNOCK_S = 5.0
_SAME = ("ray", "numpy", "pandas", "scikit-learn", "xgboost")
"""What must have one version everywhere: objects of theirs travel."""


def connect(engine: EngineConfig) -> Any:
    """The module `ray`, connected; a connection that is there already is used.

    A cluster that is started here ends with this process.

    Raises:
        NoriaError: Ray is not installed, the cluster is not reached, or its machines have other versions.
    """
    ray = _imported()
    if ray.is_initialized():
        return ray
    with _signals_as_they_were():
        _begin(ray, engine)
    return ray


def _begin(ray: Any, engine: EngineConfig) -> None:
    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if engine.address is None:
        progress.tick("starting Ray on this machine")
        ray.init("local", include_dashboard=False, **quiet)
    else:
        address = expand_environment(engine.address, where="engine.address")
        progress.tick(f"connecting to the Ray cluster at {address}")
        _join(ray, address, runtime_env={"py_modules": [str(Path(__file__).parents[2])]}, **quiet)
        _require_versions(ray, address)


@contextmanager
def _signals_as_they_were() -> Iterator[None]:
    """Ray takes SIGTERM for itself; the command line hears it too."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def require_cores(ray: Any, engine: EngineConfig) -> None:
    """There is room for `engine.workers`.

    Raises:
        NoriaError: this machine has fewer cores. A cluster elsewhere may grow: there it is a warning.
    """
    wanted, there = engine.workers * engine.cores, int(ray.cluster_resources().get("CPU", 0))
    if wanted <= there:
        return
    said = f"{engine.workers} workers of {engine.cores} cores want {wanted} cores, and Ray has {there}"
    if engine.address is None:
        raise NoriaError(
            said,
            code="engine.cores_too_few",
            where="engine.workers",
            fix=f"at most {there}, or name a cluster in engine.address",
        )
    progress.warn(f"{said}: the work waits until the cluster has grown")


def gather(ray: Any, work: Any) -> Any:
    """The result of a task, or of a list of tasks; what a task raises is raised here as it was.

    Raises:
        NoriaError: as the task, or a machine was lost and its work could not be repeated.
    """
    try:
        with raise_if_stopped():
            return ray.get(work)
    except ray.exceptions.RayError as error:
        raise cause_of(error) from error


def cause_of(error: Exception) -> Exception:
    """What a person is to read of an error that Ray has wrapped."""
    import ray

    if isinstance(error, ray.exceptions.RayTaskError):
        return error.cause if isinstance(error.cause, NoriaError) else error
    return NoriaError(
        f"the Ray cluster has lost work: {first_line(error)}",
        code="engine.work_lost",
        where="engine",
        fix="look at `ray status`",
    )


def _imported() -> Any:
    # Ray reports to its makers otherwise, and prints tables of its own
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")  # a checkpoint waits for that
    os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")  # Ctrl-C is heard by the command line
    try:
        import ray
    except ImportError as error:
        raise NoriaError(
            "`engine: ray` needs Ray, which is not installed",
            code="engine.ray_missing",
            where="engine",
            fix="install the packages of requirements-ray.lock, see docs/scaling.md; or leave `engine` out",
        ) from error
    return ray


def _join(ray: Any, address: str, **settings: Any) -> None:
    try:
        _knock(address)
        ray.init(address, **settings)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise NoriaError(
            f"the Ray cluster at {address} cannot be used: {first_line(error)}",
            code="engine.cluster_unreachable",
            where="engine.address",
            fix=f"run this on a machine of the cluster, where `ray status --address {address}` answers; see "
            "docs/scaling.md",
        ) from error


def _knock(address: str) -> None:
    """Ray itself waits minutes for a machine that is not there."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise ValueError("an address is HOST:PORT, such as 10.0.0.5:6379")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()


def _require_versions(ray: Any, address: str) -> None:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here, task = _versions(), ray.remote(num_cpus=0)(_versions)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    pinned = [
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)) for node in nodes
    ]
    for node, there in zip(nodes, gather(ray, [each.remote() for each in pinned]), strict=True):
        for name in here:
            if here[name] != there[name]:
                where = f"{node['NodeManagerAddress']} of the Ray cluster"
                raise NoriaError(
                    f"{where} has {name} {there[name]}, and here is {here[name]}",
                    code="engine.versions_differ",
                    where="engine.address",
                    fix=f"let every machine of {address} run the same image, see docs/scaling.md",
                )


def _versions() -> dict[str, str]:
    return {"Python": ".".join(map(str, sys.version_info[:2])), **{name: version(name) for name in _SAME}}
