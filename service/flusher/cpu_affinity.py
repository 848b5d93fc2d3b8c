"""CPU affinity: background work avoids the processors on which workers answer requests.

If the flusher runs on a worker's processor, that worker moves to a busy one and often stays there; its slowest
responses then take several times as long.
"""

import contextlib
import os
from pathlib import Path

import psutil

from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segments import writers

_LARGE_BACKLOG_BYTES = 1_000_000


class CpuAffinity:
    """The processors that this thread may use; only Linux lets them be chosen."""

    def __init__(self) -> None:
        self._allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()

    def avoid_writers(self, spool: Path) -> None:
        """Move this thread off the processors on which the spool's writers last ran, if there are others.

        With a large backlog any is used: the writers' own threads then keep all of them busy.
        """
        if len(self._allowed) < 2:
            return
        with contextlib.suppress(OSError):  # processors or the spool may be gone meanwhile
            others = (
                set() if waiting_bytes(spool) > _LARGE_BACKLOG_BYTES else self._allowed - _processors_of(writers(spool))
            )
            os.sched_setaffinity(0, others or self._allowed)


def _processors_of(processes: set[int]) -> set[int]:
    used = set()
    for process in processes:
        with contextlib.suppress(psutil.Error):  # it has ended, or is another user's
            used.add(psutil.Process(process).cpu_num())
    return used
