"""The profile of a table before training: columns, findings in plain words, and an HTML report."""

from noria.profiling.report.exploration_report import exploration_report
from noria.profiling.report.profile_results import TableProfile
from noria.profiling.report.table_profile import profile_table

__all__ = ["TableProfile", "exploration_report", "profile_table"]
