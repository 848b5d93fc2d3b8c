"""`deploy`: serve the champion, or roll a running service over to it."""

import json
from collections.abc import Callable

from app.commands.pipeline_runs import one_at_a_time
from app.commands.result import CommandResult, Facts, run_py
from app.environment import zenml_client
from app.runs.launch import artifact, launch
from app.stacks.stacks import active_stack, service_image, service_kind, stack_here
from noria import deployment as processes
from noria.bundle import Bundle
from noria.config import UseCase
from noria.predictions.database import shown_url
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from noria.traffic.activation import TrafficPlan
from noria.traffic.plan_transforms import describe_plan


def deploy(use_case: UseCase, stack: str | None) -> CommandResult:
    """Serve the champion; the service outlives this process."""
    service = service_kind(stack)
    if service in _DEPLOYED_ELSEWHERE:
        return _DEPLOYED_ELSEWHERE[service](use_case, stack)
    workspace, image = Workspace(use_case.name), service_image(stack)
    # what cannot be started is refused before anything is built
    processes.ServerSettings.of(use_case, workspace, image)
    with one_at_a_time("deploy", workspace):
        from pipelines.deployment import deployment

        run = launch(deployment, stack=stack_here(stack), model=use_case.name, use_case=use_case, image=image)
    champion = artifact(run, "champion")
    running = processes.read_state(workspace)
    if running is None:
        raise NoriaError(
            "the service stopped after it had been deployed", where=str(workspace.service), fix="read its log"
        )
    return CommandResult(
        f"Version {running.version} ({champion.manifest.kind}) answers at {running.url}.",
        [
            *_variants(processes.current_plan(workspace, running)),
            ("try it at", f"{running.url}/"),
            ("log", running.log),
            ("predictions", shown_url(workspace.predictions_url)),
        ],
        [_curl(running.url, champion.examples()[0]), run_py("status")],
    )


def _deploy_to_cluster(use_case: UseCase, stack: str | None) -> CommandResult:
    from app.serving.kubernetes_rollout import RELEASE, roll_out

    with one_at_a_time("deploy", Workspace(use_case.name)):
        plan, image, cluster = roll_out(stack or active_stack(zenml_client()), use_case)
    champion = Bundle.open(plan.champion.bundle)
    return CommandResult(
        f"Version {champion.manifest.version} ({champion.manifest.kind}) answers in `{cluster.namespace}`.",
        [*_variants(plan), ("image", image), ("take it back", cluster.way_back)],
        [" ".join(cluster.command("port-forward", f"service/{RELEASE}-service", "3000")), run_py("status")],
    )


def _deploy_to_compose(use_case: UseCase, stack: str | None) -> CommandResult:
    from app.servers import compose_platform
    from app.serving.compose import serve_champion

    with one_at_a_time("deploy", Workspace(use_case.name)):
        plan, url, image = serve_champion(stack or active_stack(zenml_client()), use_case)
    champion = Bundle.open(plan.champion.bundle)
    token = f"$(sed -n s/^NORIA_PREDICT_TOKEN=//p {compose_platform.settings_file()})"
    return CommandResult(
        f"Version {champion.manifest.version} ({champion.manifest.kind}) answers at {url}.",
        [*_variants(plan), ("image", image), ("tokens", compose_platform.settings_file())],
        [f'{_curl(url, champion.examples()[0])} -H "Authorization: Bearer {token}"', run_py("status")],
    )


_DEPLOYED_ELSEWHERE: dict[str, Callable[[UseCase, str | None], CommandResult]] = {
    "kubernetes": _deploy_to_cluster,
    "compose": _deploy_to_compose,
}


def _variants(plan: TrafficPlan) -> Facts:
    """Who answers what, where it is not the champion alone."""
    return [("variants", describe_plan(plan))] if len(plan.variants) > 1 else []


def _curl(url: str, example: dict[str, object]) -> str:
    body = json.dumps({"rows": [example]})
    return f"curl -s {url}/predict -H 'Content-Type: application/json' -d '{body}'"
