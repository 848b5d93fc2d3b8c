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


@step(output_materializers=ReportMaterializer, cache_policy=WITH_DOMAIN_CODE, on_failure=alert_on_failure)
def explore(
    table: pd.DataFrame, quarantined: pd.DataFrame, use_case: UseCase
) -> Annotated[HtmlReport, "exploration_report"]:
    """An HTML report on types, gaps, outliers, distributions and the relation to the target."""
    from noria.profiling.report import exploration_report, profile_table

    facts = profile_table(table, use_case, quarantined)
    html = exploration_report(facts, table, use_case)
    things = "thing" if len(facts.warnings) == 1 else "things"
    progress.stage("explore", f"{len(facts.columns)} columns, {len(facts.warnings)} {things} to look at")
    return HtmlReport(title=f"{use_case.name}: the data", html=html)
