"""One page of all use cases of a workspace: champion, verdict, worth per day, last action, next look, links."""

from noria.overview.case_row import CaseRow, Champion, Link, read_case, use_cases_in
from noria.overview.page import overview_page

__all__ = ["CaseRow", "Champion", "Link", "overview_page", "read_case", "use_cases_in"]
