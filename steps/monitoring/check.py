"""Drift, performance, business figure, verdict."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from zenml import log_metadata, step

from materializers.report import ReportMaterializer
from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring import LoopNews, MonitoringVerdict, monitor, read_window
from noria.monitoring.alerts import is_worth_alerting, monitoring_alert
from noria.monitoring.verdict_history import history_file, read
from noria.predictions import PredictionStore
from noria.reporting.html_report import HtmlReport
from noria.system import progress
from noria.system.workspace import Workspace
from steps.shared.alerts import post_alert
from steps.shared.earlier_verdicts import restore_verdicts
from steps.shared.failures import alert_on_failure
from steps.shared.previous_model import previous_bundle
from steps.shared.run_hints import run_hints


@step(output_materializers={"monitoring_report": ReportMaterializer}, enable_cache=False, on_failure=alert_on_failure)
def check(
    champion: Bundle,
    checked_at: str,
    use_case: UseCase,
    labels: str = "",
    tried: str = "",
    news: LoopNews | None = None,
) -> tuple[Annotated[MonitoringVerdict, "monitoring_verdict"], Annotated[HtmlReport, "monitoring_report"]]:
    """The verdict with its reasons, appended to the history, and the report for people.

    `labels` is the file of labels that was joined, or empty; it may hold the business figure. `news` is what the loop
    has done. `tried` is said in place of the advice to train again, where that did not help.
    """
    workspace, now = Workspace(use_case.name), datetime.fromisoformat(checked_at)
    store = PredictionStore(workspace.predictions_url)
    try:
        window = read_window(store, use_case, champion.manifest.version, now, bundle=champion)
        progress.stage("collect", f"{window.rows:,} predictions, {len(window.labelled):,} with their label")
        restore_verdicts(use_case.name, history_file(workspace))
        earlier = read(history_file(workspace), warn=False)
        hints = run_hints()
        previous = None
        if len(window.labelled) >= use_case.monitoring.min_labels:
            previous = previous_bundle(use_case.name, champion, earlier)
        verdict = monitor(
            champion,
            window,
            use_case,
            workspace,
            now,
            hints=hints,
            tried=tried,
            labels=labels,
            previous=previous,
            news=news or LoopNews(),
        )
    finally:
        store.close()
    log_metadata({"verdict": verdict.verdict, "reasons": verdict.reasons}, infer_model=True)
    progress.stage("verdict", f"{verdict.verdict}")
    if is_worth_alerting(verdict, earlier):
        post_alert(monitoring_alert(verdict), hints)
    html = Path(verdict.reports["summary"]).read_text(encoding="utf-8")
    return verdict, HtmlReport(title=f"{use_case.name}: is it still right?", html=html)
