"""What the commands do: run a pipeline, fetch its outcome, and leave the results where people look."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from app.environment import zenml_client
from app.runs.launch import About, PipelineRun, artifact, launch
from app.runs.step_containers import MountedFiles
from app.serving import backend
from app.serving.backend import Confirm, place_of
from app.stacks.stacks import active_stack, service_image, service_kind, stack_here
from noria import deployment as processes
from noria.bundle import Bundle
from noria.config import UseCase
from noria.data.sources import fingerprint
from noria.data.validation import write_quarantine
from noria.predictions.database import shown_url
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic.activation import TrafficPlan
from noria.traffic.plan_transforms import describe_plan

Facts = list[tuple[str, object]]


@dataclass(frozen=True)
class Explored:
    """The outcome of `explore`."""

    report: Path
    facts: Facts


@dataclass(frozen=True)
class Trained:
    """The outcome of `train`; `test` holds the rows that no model has learned from."""

    headline: str
    champion: bool
    report: Path
    facts: Facts
    test: pd.DataFrame


@dataclass(frozen=True)
class Deployed:
    """The outcome of `deploy`."""

    headline: str
    url: str
    curl: str
    facts: Facts


@dataclass(frozen=True)
class Predicted:
    """The outcome of `predict`."""

    headline: str
    facts: Facts


@dataclass(frozen=True)
class Monitored:
    """The outcome of `monitor`."""

    headline: str
    verdict: str
    facts: Facts

    @property
    def following(self) -> str:
        """The command that the verdict asks for."""
        return "train" if self.verdict == "retrain" else "status"


@dataclass(frozen=True)
class Stopped:
    """The outcome of `stop`."""

    headline: str
    facts: Facts


def explore(use_case: UseCase, stack: str | None) -> Explored:
    """Validate and explore; the report is left in the workspace."""
    workspace = Workspace(use_case.name)
    with _turn("explore", workspace):
        from pipelines.exploration import exploration

        run = _on_the_data(exploration, use_case, stack, "data")
    report = _publish(artifact(run, "explore").html, workspace.reports / "exploration.html")
    return Explored(report, _quarantine(run, workspace))


def train(use_case: UseCase, stack: str | None) -> Trained:
    """Train, judge and, if the gate says so, promote; both reports are left in the workspace."""
    workspace = Workspace(use_case.name)
    with _turn("train", workspace):
        from pipelines.training import training

        run = _on_the_data(training, use_case, stack, "new version")
    exploration = _publish(artifact(run, "explore").html, workspace.reports / "exploration.html")
    report = _publish(artifact(run, "gate", "evaluation_report").html, workspace.reports / "evaluation.html")
    verdict = artifact(run, "gate", "verdict")
    selection = artifact(run, "select", "selection")
    metrics = artifact(run, "evaluate", "evaluation").metrics
    primary = metrics[use_case.evaluation.metric]
    return Trained(
        headline=_verdict_headline(verdict.promote, selection.kind),
        champion=_has_champion(use_case.name),
        report=report,
        facts=[
            ("verdict", verdict.reason),
            ("chosen", selection.reason),
            (use_case.evaluation.metric, f"{primary.value:.3f} ({primary.low:.3f} to {primary.high:.3f}) on test rows"),
            ("data report", exploration),
            ("model report", report),
            *_quarantine(run, workspace),
        ],
        test=artifact(run, "split", "test_rows"),
    )


def deploy(use_case: UseCase, stack: str | None) -> Deployed:
    """Serve the champion; the service outlives this process."""
    workspace = Workspace(use_case.name)
    service = service_kind(stack)
    if service in _DEPLOYED_ELSEWHERE:
        return _DEPLOYED_ELSEWHERE[service](use_case, stack)
    image = service_image(stack)
    processes.ServerSettings.of(
        use_case, workspace, image
    )  # what cannot be started is refused before anything is built
    with _turn("deploy", workspace):
        from pipelines.deployment import deployment

        run = launch(deployment, stack=stack_here(stack), model=use_case.name, use_case=use_case, image=image)
    champion = artifact(run, "champion")
    running = processes.state(workspace)
    if running is None:
        raise NoriaError(
            "the service stopped after it had been deployed", where=str(workspace.service), fix="read its log"
        )
    order = processes.current_plan(workspace, running)
    return Deployed(
        headline=f"Version {running.version} ({champion.manifest.kind}) answers at {running.url}.",
        url=running.url,
        curl=_curl(running.url, champion.examples()[0]),
        facts=[
            *_several(order),
            ("try it at", f"{running.url}/"),
            ("log", running.log),
            ("predictions", shown_url(workspace.predictions_url)),
        ],
    )


def predict(use_case: UseCase, source: str, output: str | None, stack: str | None) -> Predicted:
    """Predict a file or folder with the champion; the output is Parquet beside the input unless said otherwise."""
    from noria.batch import check_places

    workspace = Workspace(use_case.name)
    target = output or _beside(source)
    there = _absolute(target)
    quarantine = workspace.quarantine / f"{Path(target).stem}.csv"
    check_places(_absolute(source), there, quarantine, use_case.engine)
    zenml_client()
    from pipelines.batch_inference import batch_inference

    run = launch(
        batch_inference,
        stack=stack,
        model=use_case.name,
        files=MountedFiles(reads=[_folder_of(_absolute(source))], writes=[] if "://" in there else [there]),
        use_case=use_case,
        source=_absolute(source),
        target=there,
        quarantine=str(quarantine),
    )
    summary = artifact(run, "predict_file")
    facts: Facts = [("predictions", target), ("rows", f"{summary.rows:,} in {summary.seconds:.1f} s")]
    if summary.quarantined:
        facts.append(("quarantined", f"{summary.quarantined:,} rows, with reasons in {quarantine}"))
    return Predicted(f"{summary.rows:,} rows predicted, {summary.quarantined:,} of them bad.", facts)


def monitor(use_case: UseCase, labels: str | None, stack: str | None) -> Monitored:
    """Join the labels in `labels`, if given, and check the deployed model."""
    workspace = Workspace(use_case.name)
    with _turn("monitor", workspace):
        from pipelines.monitoring import monitoring

        file = _absolute(labels or "")
        files = MountedFiles(reads=[file] if file else [])
        run = launch(monitoring, stack=stack, model=use_case.name, files=files, use_case=use_case, labels=file)
    verdict = artifact(run, "check", "monitoring_verdict")
    return Monitored(
        headline=f"Verdict: {verdict.verdict}." if verdict.confident else "Verdict: ok, but it is too early to tell.",
        verdict=verdict.verdict,
        facts=[
            *(("why", reason) for reason in verdict.reasons),
            ("to do", verdict.next_action),
            *verdict.reports.items(),
        ],
    )


def stop(use_case: UseCase, stack: str | None, confirm: Confirm) -> Stopped:
    """Stop the service of a stack and the dashboards.

    Args:
        use_case: what is served.
        stack: whose service; None: that of the stack in use.
        confirm: asked with what goes and what stays, where others may need a service that runs elsewhere.

    Raises:
        NoriaError: it was not confirmed, or something cannot be stopped.
    """
    from app.servers.dashboards import stop_dashboards

    place = place_of(stack)
    stopped = stop_here(use_case) if place is None else backend.stop(place, confirm)
    stopped += [(each.name, each.url) for each in stop_dashboards()]
    where = "on this machine" if place is None else f"there: there is no {place.title}"
    return Stopped("Stopped." if stopped else f"Nothing was running {where}.", stopped)


def stop_here(use_case: UseCase) -> Facts:
    """Stop the service on this machine; says what was running."""
    workspace = Workspace(use_case.name)
    running = processes.state(workspace)
    stopped: Facts = []
    if processes.stop(workspace):
        what = f"{running.url} (process {running.pid})" if running else "a server of which nothing was known any more"
        stopped.append(("service", what))
    return stopped


@contextmanager
def _turn(action: str, workspace: Workspace) -> Iterator[None]:
    """One `action` at a time on a use case; ZenML's database stands before steps, which ask it, are declared."""
    with exclusive(action, workspace):
        zenml_client()
        yield


def _on_the_data(
    pipeline: Callable[..., PipelineRun], use_case: UseCase, stack: str | None, about: About
) -> PipelineRun:
    """Run a pipeline that begins with reading the sources; their fingerprint decides what its cache may reuse."""
    return launch(
        pipeline,
        stack=stack,
        model=use_case.name,
        about=about,
        files=MountedFiles(reads=[source.path for source in use_case.data.sources if source.path is not None]),
        use_case=use_case.for_training(),
        fingerprint=fingerprint(use_case.data),
    )


def _verdict_headline(promote: str, kind: str) -> str:
    if promote == "challenger":
        return f"Promoted: {kind} beats every rival."
    if promote == "rules":
        return "The rules are as good as any model: they are promoted, ML is not needed."
    return "Nothing new is promoted: the model in place stays."


def _has_champion(name: str) -> bool:
    from steps.shared.champion import find_champion

    return find_champion(name) is not None


def _absolute(location: str) -> str:
    """A local path made absolute, since steps may run elsewhere; URLs and nothing stay as they are."""
    if "://" in location or not location:
        return location
    return str(Path(location).absolute()) + "/" * location.endswith("/")


def _folder_of(source: str) -> str:
    """What must be seen for a source to be read: of a glob, its folder."""
    return source.rpartition("/")[0] if "*" in source else source


def _beside(source: str) -> str:
    """Where the answers to a file go by default: beside it, or here if it is elsewhere."""
    if "*" in source:  # it would name the answers too, the next time
        raise NoriaError("where to write the predictions?", where=source, fix="say --output NAME.parquet")
    name = f"{Path(source).stem}.predictions.parquet"
    return name if "://" in source else str(Path(source).with_name(name))


def _publish(html: str, path: Path) -> Path:
    write_text(path, html)
    return path


def _quarantine(run: PipelineRun, workspace: Workspace) -> Facts:
    """Where the quarantined rows are, if there are any; written here too, since the step may have run elsewhere."""
    rows, file = artifact(run, "validate", "quarantined_rows"), workspace.quarantine / "training.csv"
    write_quarantine(rows, file)
    return [("quarantined", "no row" if rows.empty else f"{len(rows):,} rows, with reasons in {file}")]


def _deploy_to_cluster(use_case: UseCase, stack: str | None) -> Deployed:
    from app.serving.kubernetes_rollout import RELEASE, roll_out

    with _turn("deploy", Workspace(use_case.name)):
        order, image, cluster = roll_out(stack or active_stack(zenml_client()), use_case)
    champion = Bundle.open(order.champion.bundle)
    return Deployed(
        headline=f"Version {champion.manifest.version} ({champion.manifest.kind}) answers in `{cluster.namespace}`.",
        url="http://127.0.0.1:3000",
        curl=" ".join(cluster.command("port-forward", f"service/{RELEASE}-service", "3000")),
        facts=[*_several(order), ("image", image), ("take it back", cluster.way_back)],
    )


def _deploy_to_compose(use_case: UseCase, stack: str | None) -> Deployed:
    from app.servers import compose_platform
    from app.serving.compose import serve_champion

    with _turn("deploy", Workspace(use_case.name)):
        order, url, image = serve_champion(stack or active_stack(zenml_client()), use_case)
    champion = Bundle.open(order.champion.bundle)
    read = f"$(sed -n s/^NORIA_PREDICT_TOKEN=//p {compose_platform.settings_file()})"
    return Deployed(
        headline=f"Version {champion.manifest.version} ({champion.manifest.kind}) answers at {url}.",
        url=url,
        curl=f'{_curl(url, champion.examples()[0])} -H "Authorization: Bearer {read}"',
        facts=[*_several(order), ("image", image), ("tokens", compose_platform.settings_file())],
    )


def _several(order: TrafficPlan) -> Facts:
    """Who answers what, where it is not the champion alone."""
    return [("variants", describe_plan(order))] if len(order.variants) > 1 else []


_DEPLOYED_ELSEWHERE: dict[str, Callable[[UseCase, str | None], Deployed]] = {
    "kubernetes": _deploy_to_cluster,
    "compose": _deploy_to_compose,
}


def _curl(url: str, example: dict[str, object]) -> str:
    body = json.dumps({"rows": [example]})
    return f"curl -s {url}/predict -H 'Content-Type: application/json' -d '{body}'"
