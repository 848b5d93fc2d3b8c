"""Compare the challenger with the champion and with the rules on the same test rows."""

from typing import Annotated

import pandas as pd
from zenml import log_metadata, step

from materializers.report import ReportMaterializer
from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.results import EvaluationResult, GateVerdict
from noria.monitoring.alerts import gate_alert
from noria.reporting.html_report import HtmlReport
from noria.system import progress
from noria.training.results import Leaderboard
from noria.training.selection import Selection
from steps.shared.alerts import post_alert
from steps.shared.champion import find_champion
from steps.shared.failures import alert_on_failure


@step(output_materializers={"evaluation_report": ReportMaterializer}, enable_cache=False, on_failure=alert_on_failure)
def gate(
    challenger: Bundle,
    rules: Bundle,
    test: pd.DataFrame,
    evaluation: EvaluationResult,
    selection: Selection,
    leaderboard: Leaderboard,
    use_case: UseCase,
) -> tuple[Annotated[GateVerdict, "verdict"], Annotated[HtmlReport, "evaluation_report"]]:
    """The verdict with its reason, and the report for the client."""
    from noria.evaluation.promotion_gate import gate as compare
    from noria.evaluation.report.evaluation_report import evaluation_report

    verdict = compare(use_case, test, challenger, rules, find_champion(use_case.name))
    html = evaluation_report(evaluation, verdict, selection, leaderboard.scores, use_case)
    log_metadata(
        {"promote": verdict.promote, "reason": verdict.reason, "ml_needed": verdict.ml_needed}, infer_model=True
    )
    progress.stage("gate", f"{'promote: ' + verdict.promote if verdict.promote != 'none' else 'nothing promoted'}")
    post_alert(gate_alert(use_case.name, challenger.manifest.version, verdict))
    return verdict, HtmlReport(title=f"{use_case.name}: the verdict", html=html)
