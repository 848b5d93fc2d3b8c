"""A small server that speaks the paths and the JSON of the Kubernetes API, as far as Noria and ZenML ask for them."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

TOKEN = "token-of-a-person"  # noqa: S105 - of this server
Json = dict[str, Any]
_LOG = re.compile(r"/api/v1/namespaces/ml/pods/([^/]+)/log")
_CREATED = "2026-01-01T00:00:0{}Z"


@dataclass
class Cluster:
    """What is in it. Tests change it while it is served."""

    namespaces: set[str] = field(default_factory=lambda: {"ml"})
    accounts: set[str] = field(default_factory=lambda: {"noria-orchestrator", "noria-steps"})
    denied: set[str] = field(default_factory=set)
    """`verb resource` that the person may not."""
    pods: list[Json] = field(default_factory=list)
    jobs: dict[str, Json] = field(default_factory=dict)
    cron_jobs: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, Json] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    """What pods have printed, by their names."""
    states: list[Json] = field(default_factory=list)
    """Statuses that the pods of the next jobs get, one each."""
    job_status: Json = field(default_factory=dict)
    """Status of every job."""
    runs: Callable[[Json], Json] | None = None
    """What becomes of a job that is taken: its status; None: nothing."""
    refuses_jobs: str = ""
    """Why no job is taken; empty: they are."""
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def configuration(self, file: Path, context: str = "cluster") -> Path:
        """A file for KUBECONFIG."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": "it", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": TOKEN}}],
            "contexts": [{"name": context, "context": {"cluster": "it", "user": "me"}}],
        }
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        return file

    def add_pod(self, status: Json, *, run_id: str, step: str = "", number: int = 0, memory: str = "2Gi") -> None:
        """A pod as the API shows it."""
        labels = {"run_id": run_id} | ({"step_name": step} if step else {})
        self.pods.append(pod(f"pod-{len(self.pods)}", labels, status, number=number, memory=memory))

    def create_job(self, job: Json) -> Json:
        """Take a job, and start its pod."""
        job["metadata"].setdefault("creationTimestamp", _CREATED.format(0))
        job["status"] = {}
        name = job["metadata"]["name"]
        self.jobs[name] = job
        if self.states:
            template = job["spec"]["template"]
            labels = {**template["metadata"].get("labels", {}), "job-name": name}
            made = pod(f"{name}-x", labels, self.states.pop(0))
            made["spec"]["containers"][0]["image"] = template["spec"]["containers"][0]["image"]
            self.pods.append(made)
        if self.runs is not None:
            job["status"] = self.runs(job)
        return job


def pod(name: str, labels: Json, status: Json, *, number: int = 0, memory: str = "2Gi") -> Json:
    """A pod of one container `main`."""
    container = {"name": "main", "image": "registry.example.com/p:1", "resources": {"limits": {"memory": memory}}}
    metadata = {"name": name, "namespace": "ml", "labels": labels, "creationTimestamp": _CREATED.format(number)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container]},
        "status": status,
    }


@contextmanager
def served(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster at an address of this machine."""

    class Handler(_Handler):
        of = cluster

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    of: Cluster
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def do_PATCH(self) -> None:
        self._serve("PATCH")

    def _serve(self, method: str) -> None:
        parts, length = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        self.of.asked.append(f"{method} {parts.path}")
        answer: Json | str
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            status, answer = _failed(401, "Unauthorized", "Unauthorized")
        elif (log := _LOG.fullmatch(parts.path)) and log[1] in self.of.logs:
            status, answer = 200, self.of.logs[log[1]]
        else:
            status, answer = _answer(self.of, method, parts.path, parse_qs(parts.query), body)
        sent = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)


def _answer(cluster: Cluster, method: str, path: str, query: dict[str, list[str]], body: Json) -> tuple[int, Json]:
    if path == "/version/":
        return 200, {"major": "1", "minor": "33", "gitVersion": "v1.33.1", "gitCommit": "", "gitTreeState": "clean"} | {
            "buildDate": "", "goVersion": "", "compiler": "gc", "platform": "linux/amd64"
        }  # fmt: skip
    if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
        asked = body["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        return 201, body | {"status": {"allowed": f"{asked['verb']} {resource}" not in cluster.denied}}
    found = re.fullmatch(r"/(?:api|apis/batch)/v1/namespaces/([^/]+)(?:/([^/]+))?(?:/([^/]+))?", path)
    if found is None:
        return _failed(404, "NotFound", f"the server could not find {path}")
    namespace, kind, name = found.groups()
    if namespace not in cluster.namespaces:
        return _failed(404, "NotFound", f'namespaces "{namespace}" not found')
    if kind is None:
        return 200, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    return _of_namespace(cluster, method, kind, name, query, body)


def _of_namespace(  # noqa: PLR0911, PLR0917 - one line for each address
    cluster: Cluster, method: str, kind: str, name: str | None, query: dict[str, list[str]], body: Json
) -> tuple[int, Json]:
    if (method, kind) == ("GET", "serviceaccounts") and name in cluster.accounts:
        return 200, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "ml"}}
    if (method, kind) == ("GET", "pods") and name is None:
        wanted = dict(each.split("=") for each in query.get("labelSelector", [""])[0].split(",") if each)
        phase = query.get("fieldSelector", [""])[0].removeprefix("status.phase=")
        pods = [each for each in cluster.pods if wanted.items() <= each["metadata"]["labels"].items()]
        pods = [each for each in pods if not phase or each["status"]["phase"] == phase]
        return 200, {"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": pods}
    if (method, kind) == ("POST", "jobs"):
        if cluster.refuses_jobs:
            return _failed(403, "Forbidden", cluster.refuses_jobs)
        return 201, cluster.create_job(body)
    if (method, kind) == ("GET", "jobs") and name is None:
        key, _, value = query["labelSelector"][0].partition("=")
        jobs = [each for each in cluster.jobs.values() if each["metadata"]["labels"].get(key) == value]
        return 200, {"apiVersion": "batch/v1", "kind": "JobList", "metadata": {}, "items": jobs}
    if (method, kind) == ("GET", "jobs") and name in cluster.jobs:
        return 200, cluster.jobs[name] | ({"status": cluster.job_status} if cluster.job_status else {})
    if (method, kind) == ("DELETE", "jobs") and name in cluster.jobs:
        del cluster.jobs[name]
        cluster.pods[:] = [each for each in cluster.pods if each["metadata"]["labels"].get("job-name") != name]
        return 200, {"apiVersion": "v1", "kind": "Status", "status": "Success"}
    if (method, kind) == ("POST", "cronjobs"):
        made = body["metadata"].setdefault(
            "name", f"{body['metadata'].get('generateName', '')}{len(cluster.cron_jobs)}"
        )
        cluster.cron_jobs[made] = body
        return 201, body
    if (method, kind) == ("DELETE", "cronjobs") and name in cluster.cron_jobs:
        del cluster.cron_jobs[name]
        return 200, {"apiVersion": "v1", "kind": "Status", "status": "Success"}
    if (method, kind) == ("POST", "secrets"):
        cluster.secrets[body["metadata"]["name"]] = body
        return 201, body
    return _failed(404, "NotFound", f'{kind} "{name}" not found')


def _failed(code: int, reason: str, message: str) -> tuple[int, Json]:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return code, status | {"message": message, "reason": reason, "code": code}
