"""What the steps of a run say in their pods, shown where the run was started."""

from typing import Any

from app.runs.pod_diagnostics import SECONDS, pods_at, step_of
from app.stacks import kube_contexts
from noria.system import progress
from noria.system.errors import first_line

_SAYS = {"Running", "Succeeded", "Failed"}
_IN_VAIN = 3
"""So many logs in a row that cannot be read are no accident."""


class PodLogs:
    """Tells each line once, however often it looks."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}
        """How many characters of each pod's log have been shown."""
        self._ended: set[str] = set()
        self._in_vain = 0

    def tell(self, place: tuple[str, str], selector: str) -> list[Any]:
        """Tell what is new in the logs of a run's pods, and which steps are at work.

        A log that cannot be read is passed over, since a run matters more; that none can is reported once.

        Args:
            place: the cluster's context, and the namespace.
            selector: which pods.

        Returns:
            The pods, the oldest first.
        """
        pods = sorted(pods_at([place], selector), key=lambda pod: str(pod.metadata.creation_timestamp))
        for pod in pods:
            if step_of(pod) and pod.status.phase in _SAYS:
                self._try(place, pod)
        running = [f"`{step_of(pod)}`" for pod in pods if step_of(pod) and pod.status.phase == "Running"]
        if running:
            progress.tick(f"step {', '.join(running)} in {'a pod' if len(running) == 1 else 'pods'}")
        return pods

    def _try(self, place: tuple[str, str], pod: Any) -> None:
        try:
            self._tell(place, pod)
        except Exception as error:  # whatever the client and its plug-ins raise
            self._in_vain += 1
            if self._in_vain == _IN_VAIN:
                why = getattr(error, "reason", None) or first_line(error)
                progress.warn(f"what the steps say cannot be read ({why}): you need `get` on `pods/log`")
        else:
            if self._in_vain < _IN_VAIN:
                self._in_vain = 0

    def _tell(self, place: tuple[str, str], pod: Any) -> None:
        name, (context, namespace) = pod.metadata.name, place
        if name in self._ended:
            return
        said = _log_of(context, namespace, name)
        is_at_work = pod.status.phase == "Running"
        whole = said.rfind("\n") + 1 if is_at_work else len(said)
        progress.relay(said[self._told.get(name, 0) : whole])
        self._told[name] = whole
        if not is_at_work:
            self._ended.add(name)


def _log_of(context: str, namespace: str, pod: str) -> str:
    from kubernetes.client import CoreV1Api

    api = CoreV1Api(kube_contexts.api_client(context))
    answer = api.read_namespaced_pod_log(pod, namespace, _request_timeout=SECONDS, _preload_content=False)
    text: str = answer.data.decode("utf-8", errors="replace")
    return text
