"""The service as a process of this machine."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from app.command_result import CommandResult, Facts, run_py
from app.environment import one_at_a_time, zenml_client
from app.runs.launch import artifact, launch
from app.serving import traffic_summary
from app.serving.backend import Confirm, ServiceTarget
from app.serving.experiment_size import experiment_facts
from app.serving.promotion import champion_result, find_candidate, make_champion, model_registries
from app.serving.service_probe import curl_commands, model_learning
from app.serving.traffic_request import TrafficRequest, missing_variants, requested_plan
from app.stacks.definition import PreflightFinding
from app.stacks.registration import stack_for_one_run
from app.stacks.stacks import stack_here
from noria import deployment as processes
from noria.bundle import Bundle
from noria.client import Client
from noria.config import UseCase
from noria.deployment import Deployment, PlanChange, ServiceStatus, Unflushed, VariantSpec
from noria.deployment.audit import recent_changes, record_change
from noria.deployment.service_secrets import TOKENS
from noria.predictions.database import shown_url
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic import plan_history, plan_transforms
from noria.traffic.activation import TrafficPlan


class ProcessBackend:
    """The service runs on this machine, and the workspace knows everything about it."""

    is_local = True

    def __init__(self, target: ServiceTarget) -> None:
        if target.url is not None:
            raise NoriaError(
                f"stack `{target.stack}` serves on this machine, where the workspace knows the address",
                code="cli.url_not_needed",
                where="--url",
                fix="leave it out, or name the stack of the service with --stack",
            )
        self._stack = target.stack

    @property
    def image(self) -> str:
        """The image that the service runs in; empty: none."""
        return ""

    def preflight(self) -> Iterable[PreflightFinding]:
        """Nothing: a process needs only what is installed here."""
        return ()

    def url(self, use_case: UseCase) -> str:
        """The address of the running server."""
        return processes.running_server(Workspace(use_case.name)).url

    def deploy(self, use_case: UseCase) -> CommandResult:
        """Run the deployment pipeline; the service outlives this process."""
        workspace = Workspace(use_case.name)
        # what cannot be started is refused before anything is built
        processes.ServerSettings.of(use_case, workspace, self.image)
        with one_at_a_time("deploy", workspace):
            from pipelines.deployment import deployment

            stack = stack_here(self._stack)
            run = launch(
                deployment, stack=stack, model=use_case.name, use_case=use_case.without_loop(), image=self.image
            )
        champion = artifact(run, "champion")
        server = processes.read_state(workspace)
        if server is None:
            raise NoriaError(
                "the service stopped after it had been deployed",
                code="deployment.server_died",
                where=str(workspace.service),
                fix="read its log",
            )
        return CommandResult(
            f"Version {server.version} ({champion.manifest.kind}) answers at {server.url}.",
            [
                *traffic_summary.variant_facts(processes.current_plan(workspace, server)),
                ("try it at", f"{server.url}/"),
                ("log", server.log),
                ("predictions", shown_url(workspace.predictions_url)),
            ],
            [*curl_commands(server.url, champion, use_case, _token()), run_py("status")],
        )

    def status(self, use_case: UseCase) -> CommandResult:
        """The server, its variants and its counts."""
        service = processes.service_status(Workspace(use_case.name), use_case)
        facts = [*_server_facts(service), *_counts(service)]
        server = service.deployment
        if server is None:
            return CommandResult(f"{use_case.name} is not deployed on this machine.", facts, [run_py("deploy")])
        answers = "answers" if service.ready else "does not answer"
        headline = f"{use_case.name}: version {server.version} {answers} at {server.url}."
        return CommandResult(headline, facts, [run_py("monitor" if service.ready else "deploy")])

    def show_traffic(self, use_case: UseCase) -> CommandResult:
        """The plan that the server follows, how each variant does, and the latest changes."""
        workspace = Workspace(use_case.name)
        plan = processes.current_plan(workspace, processes.running_server(workspace))
        facts = traffic_summary.describe_traffic(processes.service_status(workspace, use_case))
        facts += [("changed", change) for change in recent_changes(workspace.predictions_url)]
        headline = f"{use_case.name}: {plan_transforms.describe_plan(plan)}."
        return CommandResult(headline, facts, [traffic_summary.TRAFFIC_HELP])

    def change_traffic(self, use_case: UseCase, request: TrafficRequest) -> CommandResult:
        """Let the running server follow another plan, without a restart and without a failed request."""
        workspace = Workspace(use_case.name)
        with exclusive("deploy", workspace):
            plan = processes.current_plan(workspace, processes.running_server(workspace))
            new = [each.variant(workspace) for each in missing_variants(use_case, request, plan, self._stack)]
            changed = processes.change_plan(use_case, workspace, requested_plan(use_case, request, new))
        record_change(changed, request.kind, request.description)
        facts: Facts = [
            ("before", traffic_summary.describe_with_policies(changed.before)),
            ("now", traffic_summary.describe_with_policies(changed.after)),
            *traffic_summary.canary_facts(changed.after),
            *experiment_facts(use_case, changed.after),
        ]
        headline = f"{use_case.name}: {plan_transforms.describe_plan(changed.after)}."
        return CommandResult(headline, facts, [run_py("rollback")])

    def promote(self, use_case: UseCase, version: str | None, confirm: Confirm) -> CommandResult:
        """Change the running server first, then the registries; if these fail, the server goes back."""
        workspace = Workspace(use_case.name)
        with model_registries(use_case, self._stack):
            server = processes.read_state(workspace)
            if server is None or not server.ready:
                bundle = find_candidate(use_case, version, confirm)
                self._check_champion(bundle)
                make_champion(use_case, bundle)
                return champion_result(bundle, "no service runs here")
            bundle = find_candidate(use_case, version, confirm, processes.current_plan(workspace, server))
            champion = VariantSpec(bundle).variant(workspace)
            changed = processes.change_plan(
                use_case,
                workspace,
                lambda plan: plan_transforms.drop_unused(plan_transforms.with_champion(plan, champion)),
            )
            with _reverted_on_error(use_case, changed):
                make_champion(use_case, bundle)
        number, kind = bundle.manifest.version, bundle.manifest.kind
        record_change(changed, "traffic", f"promoted version {number}")
        headline = f"Version {number} ({kind}) is the champion and answers."
        return CommandResult(headline, traffic_summary.change_facts(changed), [run_py("rollback")])

    def rollback(self, use_case: UseCase) -> CommandResult:
        """Restore the plan before the last change; the registries follow if it has another champion."""
        workspace = Workspace(use_case.name)
        with exclusive("deploy", workspace):
            plan = processes.current_plan(workspace, processes.running_server(workspace))
            before = plan_history.last_other(workspace.service, plan)
            if before is None:
                raise NoriaError(
                    "there is nothing to take back: nothing has changed since the service was first deployed",
                    code="deployment.nothing_to_roll_back",
                    where=str(workspace.service),
                    fix="name the version that should answer: `python run.py promote --version N`",
                )
            changed = processes.change_plan(
                use_case, workspace, lambda _: plan_transforms.renew(before), is_rollback=True
            )
            record_change(changed, "traffic", "rolled back")
            if changed.before.champion.bundle != changed.after.champion.bundle:
                self._restore_champion(use_case, changed.after)
        headline = f"Rolled back: {plan_transforms.describe_plan(changed.after)}."
        return CommandResult(headline, traffic_summary.change_facts(changed), [run_py("status")])

    def stop(self, use_case: UseCase, confirm: Confirm) -> CommandResult:
        """End the server without asking, since it belongs to the user; requests and predictions are finished first."""
        workspace = Workspace(use_case.name)
        server = processes.read_state(workspace)
        if not processes.stop(workspace):
            return CommandResult("Nothing was running on this machine.", [], [run_py("deploy")])
        stopped = f"{server.url} (process {server.pid})" if server else "a server of which nothing else was known"
        left = processes.flush_rest(workspace, None if server is None else server.settings)
        return CommandResult("Stopped.", [("service", stopped), *_waiting(left)], [*_to_flush(left), run_py("deploy")])

    def _check_champion(self, bundle: Bundle) -> None:
        """Refuse a champion that the next `deploy` could not serve; a process serves every bundle."""

    def _restore_champion(self, use_case: UseCase, plan: TrafficPlan) -> None:
        zenml_client()
        champion = plan.champion
        try:
            with stack_for_one_run(self._stack):
                make_champion(use_case, Bundle.open(champion.bundle))
        except (NoriaError, ValueError) as error:
            progress.warn(f"version {champion.version} answers, but the registries do not say so: {error}")


@contextmanager
def _reverted_on_error(use_case: UseCase, changed: PlanChange) -> Iterator[None]:
    try:
        yield
    except BaseException:
        progress.warn("the registries could not be changed, so the service goes back, too")
        workspace = Workspace(use_case.name)
        processes.change_plan(use_case, workspace, lambda _: plan_transforms.renew(changed.before), is_rollback=True)
        raise


def _waiting(left: Unflushed) -> Facts:
    if not left:
        return []
    reason = f": {left.reason}" if left.reason else ""
    what = f"{left.predictions:,} predictions and {left.labels:,} labels wait in {left.spool} for the prediction store"
    return [("waiting", f"{what}{reason}")]


def _to_flush(left: Unflushed) -> list[str]:
    """What moves the rest to the prediction store."""
    return [f"once the prediction store works: {run_py('monitor')}"] if left else []


def _token() -> str:
    """What a shell reads as the token for predictions; empty: there is none."""
    return f"${TOKENS[0]}" if os.environ.get(TOKENS[0]) else ""


def _server_facts(service: ServiceStatus) -> Facts:
    server = service.deployment
    if server is None or service.uptime_s is None:
        return []
    with Client.with_tokens(server.url) as client:
        model = client.model() if service.ready else None
    requests = "unknown" if service.served is None else f"{service.served:,} since start, {service.refused:,} refused"
    return [
        ("version", f"{server.version} ({model.kind})" if model else server.version),
        *(model_learning(model) if model else []),
        *traffic_summary.describe_traffic(service),
        ("uptime", str(timedelta(seconds=round(service.uptime_s)))),
        _runner(server),
        ("requests", requests),
    ]


def _runner(server: Deployment) -> tuple[str, object]:
    """The process or the container that was started."""
    if server.settings.image:
        return "container", f"{server.settings.image}, log {server.log}"
    return "process", f"{server.pid}, log {server.log}"


def _counts(service: ServiceStatus) -> Facts:
    last = f", the last at {service.last_prediction_at:%Y-%m-%d %H:%M:%S} UTC" if service.last_prediction_at else ""
    return [
        ("predictions", f"{service.predictions:,} in {service.requests:,} requests{last}"),
        ("labels", f"{service.labelled:,} joined, {service.waiting_labels:,} waiting for their prediction"),
    ]
