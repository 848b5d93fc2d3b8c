"""Work that nobody waits for leaves the processors on which somebody is answered.

Where a keeper runs on a worker's processor, that worker moves to one that others keep busy and often stays there; its
slowest answers then take several times as long.
"""

import contextlib
import os
from pathlib import Path

import psutil

from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segments import writers

_MUCH_BYTES = 1_000_000


class CpuAffinity:
    """Those that this thread may use, as it was started; with Linux alone can they be chosen."""

    def __init__(self) -> None:
        self._allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()

    def leave_to_writers(self, spool: Path) -> None:
        """Keep this thread off the processors on which the spool's writers ran last, if there are others.

        Where much waits it takes any: the writers' own threads keep all of them busy then.
        """
        if len(self._allowed) < 2:
            return
        with contextlib.suppress(OSError):  # somebody has taken processors away meanwhile, or the spool
            others = set() if waiting_bytes(spool) > _MUCH_BYTES else self._allowed - _used(writers(spool))
            os.sched_setaffinity(0, others or self._allowed)


def _used(processes: set[int]) -> set[int]:
    used = set()
    for process in processes:
        with contextlib.suppress(psutil.Error):  # it has ended, or is another user's
            used.add(psutil.Process(process).cpu_num())
    return used
