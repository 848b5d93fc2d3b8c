"""Compare the candidates with what is in use, on the same test rows."""

from typing import Annotated

import pandas as pd
from zenml import log_metadata, step

from materializers.bundle import BundleMaterializer
from materializers.report import ReportMaterializer
from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.results import EvaluationResult, GateVerdict
from noria.monitoring.alerts import gate_alert
from noria.reporting.html_report import HtmlReport
from noria.system import progress
from noria.training.results import Leaderboard
from noria.training.selection import Selection
from noria.training.windows import WindowChoice
from steps.shared.alerts import post_alert
from steps.shared.champion import find_champion
from steps.shared.failures import alert_on_failure
from steps.shared.judged_bundle import log_test_metrics, with_test_metrics
from steps.shared.run_hints import run_hints

_KEPT = {"evaluation_report": ReportMaterializer, "finalist": BundleMaterializer}


@step(output_materializers=_KEPT, enable_cache=False, experiment_tracker=True, on_failure=alert_on_failure)
def gate(
    challenger: Bundle,
    best: Bundle,
    rules: Bundle,
    train: pd.DataFrame,
    test: pd.DataFrame,
    evaluation: EvaluationResult,
    selection: Selection,
    leaderboard: Leaderboard,
    use_case: UseCase,
    window: WindowChoice | None = None,
) -> tuple[
    Annotated[GateVerdict, "verdict"],
    Annotated[HtmlReport, "evaluation_report"],
    Annotated[Bundle, "finalist"],
    Annotated[EvaluationResult, "final_evaluation"],
]:
    """The verdict with its reason, the report for the client, and the candidate that both are about.

    That is the challenger, or the best candidate where a more readable one was preferred to it and did not pass.
    """
    from noria.evaluation.evaluate import evaluate as judge
    from noria.evaluation.promotion_gate import gate as compare
    from noria.evaluation.report.evaluation_report import evaluation_report

    other = None if selection.best == selection.kind else best
    verdict = compare(use_case, test, challenger, rules, find_champion(use_case.name), best=other, train=train)
    finalist, final = challenger, evaluation
    if verdict.candidate != selection.kind:
        final = judge(best, test, use_case, rules=rules)
        finalist = with_test_metrics(best, final.metrics, final.rows, challenger.manifest.version)
        log_test_metrics(final)
    html = evaluation_report(final, verdict, selection, leaderboard.scores, use_case, window=window)
    log_metadata(
        {"promote": verdict.promote, "reason": verdict.reason, "ml_needed": verdict.ml_needed}, infer_model=True
    )
    if verdict.disqualified:
        progress.warn(verdict.disqualified)
    outcome = "nothing promoted" if verdict.promote == "none" else f"promote: {verdict.promote}"
    progress.stage("gate", f"{outcome}. {verdict.champion_basis}" if verdict.champion_basis else outcome)
    post_alert(gate_alert(use_case.name, challenger.manifest.version, verdict), run_hints())
    return verdict, HtmlReport(title=f"{use_case.name}: the verdict", html=html), finalist, final
