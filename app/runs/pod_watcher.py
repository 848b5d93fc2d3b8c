"""A run on a cluster while it lasts: what its steps say, and pods that no node takes.

ZenML waits for such a pod without end, and so does a cluster, since nodes may come.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any, Self

from app.runs.pod_diagnostics import SECONDS, PodFailure, delete_jobs, of_pod, places_of_pods
from app.runs.pod_logs import PodLogs
from noria.system import progress
from noria.system.errors import NoriaError

_LOOK_S = 5.0
_END_S = 3 * SECONDS


class PodWatcher:
    """Looks at the pods of a run from a thread of its own: tells what their steps say, and ends the run if one waits
    for a node for too long."""

    def __init__(self, places: Sequence[tuple[str, str]], run: str, patience_s: float) -> None:
        self._places, self._run, self._patience_s = places, run, patience_s
        self._since: dict[str, float] = {}
        self._logs = PodLogs()
        self._over = threading.Event()
        self._failure: PodFailure | None = None
        self._thread = threading.Thread(target=self._look, name="pods", daemon=True)

    @classmethod
    def of(cls, client: Any, stack: str, run: str, pending_minutes: float) -> Self:
        """The watch of a run on a stack; where that has no cluster, there is nothing to look at.

        Args:
            client: ZenML's.
            stack: name of the stack.
            run: name of the run.
            pending_minutes: how long a pod may wait for a node.
        """
        return cls(places_of_pods(client, stack), run, pending_minutes * 60)

    def __enter__(self) -> Self:
        if self._places:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(_END_S)  # a signal may have left a lock behind that it waits for

    @property
    def error(self) -> NoriaError | None:
        """Why it has ended the run; None: it has not."""
        return None if self._failure is None else self._failure.error(self._run)

    @property
    def _patience(self) -> str:
        minutes = self._patience_s / 60
        return f"{minutes:g} minute" if minutes == 1 else f"{minutes:g} minutes"

    def _look(self) -> None:
        from zenml.integrations.kubernetes.kube_utils import sanitize_label_value

        selector = f"run_name={sanitize_label_value(self._run)}"
        is_over = False
        while not is_over and self._failure is None:
            is_over = self._over.wait(min(_LOOK_S, self._patience_s / 4))  # once more at the end: the last step's words
            pods = [pod for place in self._places for pod in self._logs.tell(place, selector)]
            if not is_over:
                self._judge([pod for pod in pods if _waits_for_a_node(pod)], time.monotonic())
        for place in self._places if self._failure is not None else ():
            delete_jobs(*place, selector)

    def _judge(self, waiting: list[Any], now: float) -> None:
        known = self._since
        self._since = {pod.metadata.name: known.get(pod.metadata.name, now) for pod in waiting}
        for pod in waiting:
            failure, waited_s = of_pod(pod), now - self._since[pod.metadata.name]
            if failure is None:
                continue
            if pod.metadata.name not in known:
                patience = f"it is waited for {self._patience} (`noria.pending_minutes`)"
                progress.warn(f"{failure.what}; {patience}")
            elif waited_s >= self._patience_s:
                what = f"{failure.what}, for {self._patience}"
                fix = f"{failure.fix}; where nodes take longer to come, raise `noria.pending_minutes`"
                self._failure = PodFailure(failure.pod, what, fix)
                return


def _waits_for_a_node(pod: Any) -> bool:
    conditions = pod.status.conditions or []
    return any(each.type == "PodScheduled" and each.reason == "Unschedulable" for each in conditions)
