"""Look at the data as a person would."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.report import ReportMaterializer
from noria.config import UseCase
from noria.reporting.html_report import HtmlReport
from noria.system import progress
from steps.shared.caching import WITH_DOMAIN_CODE
from steps.shared.failures import alert_on_failure

_KEPT = {"exploration_report": ReportMaterializer}


@step(output_materializers=_KEPT, cache_policy=WITH_DOMAIN_CODE, on_failure=alert_on_failure)
def explore(
    table: pd.DataFrame, quarantined: pd.DataFrame, use_case: UseCase
) -> tuple[Annotated[HtmlReport, "exploration_report"], Annotated[str, "leakage_warning"]]:
    """An HTML report on types, gaps, outliers, distributions and the relation to the target; and what may leak."""
    from noria.profiling.report import exploration_report, profile_table

    facts = profile_table(table, use_case, quarantined)
    html = exploration_report(facts, table, use_case)
    things = "thing" if len(facts.warnings) == 1 else "things"
    progress.stage("explore", f"{len(facts.columns)} columns, {len(facts.warnings)} {things} to look at")
    if facts.leakage_warning:
        progress.warn(facts.leakage_warning)
    return HtmlReport(title=f"{use_case.name}: the data", html=html), facts.leakage_warning
