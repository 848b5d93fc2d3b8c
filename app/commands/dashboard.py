"""`dashboard`: one page of all use cases, and the dashboards of ZenML, MLflow and Evidently."""

from datetime import UTC, datetime
from pathlib import Path

from app.command_result import CommandResult, Facts, run_py
from app.environment import hints_of
from app.servers.dashboards import Dashboard, running_dashboards, start_dashboards
from noria.config import UseCase
from noria.overview import Link, overview_page, read_case, use_cases_in
from noria.system import progress
from noria.system.files import write_text
from noria.system.workspace import home

_PAGE = "dashboard.html"
_OF_ONE_CASE = "Evidently"


def dashboard(use_case: UseCase, *, servers: bool = True) -> CommandResult:
    """Write the page of all use cases, and start the dashboards, or find them running.

    The page is written before a server is started, so that it is there even if one does not start.

    Args:
        use_case: whose pages the dashboards open.
        servers: False: only the page; no server is started.

    Raises:
        NoriaError: the page cannot be written, or a dashboard does not start.
    """
    page = write_overview(use_case)
    progress.stage("page", page.as_uri())
    if not servers:
        running = [(each.name, each.pages[use_case.name]) for each in running_dashboards(use_case.name)]
        facts: Facts = [("page", page.as_uri()), *running]
        return CommandResult("The page of all use cases is written.", facts, [run_py("dashboard")])
    started = start_dashboards(use_case)
    page = write_overview(use_case)  # again, now that it can link to them
    facts = [("page", page.as_uri()), *started]
    return CommandResult("The dashboards are running.", facts, [f"{run_py('stop')}   (stops them again)"])


def write_overview(use_case: UseCase) -> Path:
    """Write the page of all use cases of the workspace, `use_case` always among them.

    Raises:
        NoriaError: it cannot be written.
    """
    place, running = home(), running_dashboards()
    names = sorted({*use_cases_in(place), use_case.name})
    rows = [read_case(name, place, _pages_of(name, running)) for name in names]
    shared = [Link(each.name, each.url) for each in running if each.name != _OF_ONE_CASE]
    page = place / _PAGE
    write_text(page, overview_page(rows, datetime.now(UTC), hints_of, hints_of(use_case.name), shared))
    return page


def _pages_of(name: str, running: list[Dashboard]) -> list[Link]:
    return [Link(each.name, each.pages[name]) for each in running if name in each.pages]
