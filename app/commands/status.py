"""`status`: what is deployed, and how it is doing."""

from datetime import timedelta

from app.commands.result import CommandResult, Facts, run_py
from app.commands.traffic_summary import describe_traffic
from app.servers.dashboards import running_dashboards
from app.serving.backend import Place, place_of, service_facts
from noria.client import Client
from noria.config import UseCase
from noria.deployment import Deployment, ServiceStatus, read_state
from noria.deployment import service_status as facts_here
from noria.monitoring.verdict_history import history_file, read
from noria.system.workspace import Workspace


def status(use_case: UseCase, stack: str | None = None, url: str | None = None) -> CommandResult:
    """The service of a use case, its counts, and the last verdict on it.

    Args:
        use_case: what is served.
        stack: whose service; None: that of the stack in use.
        url: where a service that runs elsewhere answers.

    Raises:
        NoriaError: the prediction store cannot be read, or whoever knows of a service elsewhere cannot be asked.
    """
    place = place_of(stack, url)
    return _here(use_case) if place is None else _elsewhere(place, use_case)


def _here(use_case: UseCase) -> CommandResult:
    workspace = Workspace(use_case.name)
    service = facts_here(workspace)
    facts = [*_service(service), *_counts(service), *_verdict(workspace)]
    facts += [("dashboard", f"{each.name} {each.url}") for each in running_dashboards()]
    deployment = service.deployment
    if deployment is None:
        return CommandResult(f"{use_case.name} is not deployed on this machine.", facts, [run_py("deploy")])
    doing = "answers" if service.ready else "does not answer"
    headline = f"{use_case.name}: version {deployment.version} {doing} at {deployment.url}."
    return CommandResult(headline, facts, [run_py("monitor" if service.ready else "deploy")])


def _elsewhere(place: Place, use_case: UseCase) -> CommandResult:
    workspace = Workspace(use_case.name)
    known = [*_verdict(workspace), *(("dashboard", f"{each.name} {each.url}") for each in running_dashboards())]
    if (here := read_state(workspace)) is not None:
        known.append(("here, too", f"version {here.version} at {here.url}: python run.py status --stack local"))
    if not place.is_there:
        headline = f"{use_case.name} is not deployed: there is no {place.title}."
        return CommandResult(headline, known, [run_py("deploy")])
    answers, facts = service_facts(place, use_case.name)
    following = run_py("monitor" if answers else "deploy")
    return CommandResult(f"{use_case.name}: {place.headline}", [*facts, *known], [following])


def _service(service: ServiceStatus) -> Facts:
    deployment = service.deployment
    if deployment is None or service.uptime_s is None:
        return []
    with Client.with_tokens(deployment.url) as client:
        model = client.model() if service.ready else None
    return [
        ("version", f"{deployment.version} ({model.kind})" if model else deployment.version),
        *describe_traffic(service),
        ("uptime", str(timedelta(seconds=round(service.uptime_s)))),
        _place(deployment),
        (
            "requests",
            "unknown" if service.served is None else f"{service.served:,} since start, {service.refused:,} refused",
        ),
    ]


def _place(deployment: Deployment) -> tuple[str, object]:
    if deployment.settings.image:
        return "container", f"{deployment.settings.image}, log {deployment.log}"
    return "process", f"{deployment.pid}, log {deployment.log}"


def _counts(service: ServiceStatus) -> Facts:
    last = f", the last at {service.last_prediction_at:%Y-%m-%d %H:%M:%S} UTC" if service.last_prediction_at else ""
    return [
        ("predictions", f"{service.predictions:,} in {service.requests:,} requests{last}"),
        ("labels", f"{service.labelled:,} joined, {service.waiting_labels:,} waiting for their prediction"),
    ]


def _verdict(workspace: Workspace) -> Facts:
    history = read(history_file(workspace))
    if not history:
        return [("verdict", "none yet")]
    last = history[-1]
    return [("verdict", f"{last.verdict} on version {last.version}, {last.at:%Y-%m-%d %H:%M} UTC: {last.reasons[0]}")]
