"""What the overview says of one use case, from the files of its workspace.

Nothing is changed: a file that is damaged stays where it is, and the row says which one it is.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from noria.config.section import Section
from noria.deployment import Deployment
from noria.loop import Journal, journal_file, news_of
from noria.monitoring import LoopNews, MonitoringVerdict
from noria.monitoring.business import joined_worth
from noria.monitoring.monitoring_report import PAGE
from noria.monitoring.results import DailyWorth
from noria.monitoring.verdict_history import history_file, read_and_count
from noria.system.errors import NoriaError
from noria.system.processes import alive
from noria.system.workspace import Workspace
from noria.traffic.activation import read_plan

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TRACES = (
    "last_training.json",
    "loop/journal.jsonl",
    "monitoring/history.jsonl",
    "predictions.db",
    "reports",
    "service/state.json",
)
"""What only the folder of a use case holds."""


@dataclass(frozen=True)
class Link:
    """A link of a row."""

    text: str
    href: str
    """Relative to the page, or an address that begins with http."""


@dataclass(frozen=True)
class Champion:
    """The model in use."""

    version: str
    kind: str = ""
    """Kind of the model; empty: not known."""
    since: datetime | None = None
    """Since when it is the champion (UTC); None: not known."""


@dataclass(frozen=True)
class CaseRow:
    """One use case."""

    name: str
    champion: Champion | None
    """None: nothing has been promoted, as far as this workspace knows."""
    url: str
    """Where its service answers; empty: none runs on this machine."""
    verdict: MonitoringVerdict | None
    """The newest verdict; None: there is none yet."""
    worth: DailyWorth | None
    """Worth per day over all checks; None: not known."""
    news: LoopNews
    links: list[Link] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be read, in plain sentences."""


class _Training(Section):
    """The part of the record of a training that the overview needs."""

    model_config = Section.model_config | {"extra": "ignore"}

    version: str
    kind: str
    champion: str
    promoted_at: datetime | None
    at: datetime


def use_cases_in(home: Path) -> list[str]:
    """The names of the use cases that have left something in a workspace, sorted; no folder: none."""
    if not home.is_dir():
        return []
    folders = [each for each in home.iterdir() if _NAME.fullmatch(each.name) and each.is_dir()]
    return sorted(each.name for each in folders if any((each / trace).exists() for trace in _TRACES))


def read_case(name: str, home: Path, dashboards: Sequence[Link] = ()) -> CaseRow:
    """The row of one use case. What cannot be read is named in its notes.

    Args:
        name: of the use case.
        home: the workspace; links are relative to it.
        dashboards: pages of dashboards that show this use case.
    """
    workspace, notes = Workspace(name), _Notes()
    folder = home / name
    no_verdicts: list[MonitoringVerdict] = []
    no_links: list[Link] = []
    history = notes.read("the history of verdicts", lambda: _history(workspace, notes), no_verdicts)
    news = notes.read("the journal of the loop", lambda: _news(workspace, notes), LoopNews())
    training = notes.read("the record of the last training", lambda: _training(folder), None)
    server = notes.read("the state of the service", lambda: _server(folder), None)
    champion = notes.read("what answers", lambda: _champion(folder, training, server), None)
    verdict = history[-1] if history else None
    url = server.url if server is not None else ""
    return CaseRow(
        name=name,
        champion=champion,
        url=url,
        verdict=verdict,
        worth=joined_worth(history),
        news=news,
        links=[*notes.read("the reports", lambda: _links(folder, home, verdict, url), no_links), *dashboards],
        notes=notes.said,
    )


class _Notes:
    """Reads files, and keeps what could not be read."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def read(self, what: str, reader: Callable[[], T], otherwise: T) -> T:
        try:
            return reader()
        except NoriaError as error:
            self.add(f"{what} cannot be read: {error.what} ({error.where})")
        except OSError as error:
            self.add(f"{what} cannot be read: {error.strerror or error} ({error.filename})")
        except (ValidationError, ValueError, KeyError):
            self.add(f"{what} is damaged")
        return otherwise

    def add(self, said: str) -> None:
        self.said.append(f"{said[:1].upper()}{said[1:]}.")


def _history(workspace: Workspace, notes: _Notes) -> list[MonitoringVerdict]:
    file = history_file(workspace)
    verdicts, unreadable = read_and_count(file)
    if unreadable:
        notes.add(f"{unreadable} unreadable line(s) in {file} left out")
    return verdicts


def _news(workspace: Workspace, notes: _Notes) -> LoopNews:
    journal = Journal(journal_file(workspace))
    if journal.unreadable:
        notes.add(f"{journal.unreadable} unreadable line(s) in {journal.file} left out")
    return news_of(journal, workspace)


def _training(folder: Path) -> _Training | None:
    file = folder / "last_training.json"
    return _Training.model_validate_json(file.read_bytes()) if file.exists() else None


def _server(folder: Path) -> Deployment | None:
    """The server of this machine, if it is alive."""
    file = folder / "service" / "state.json"
    if not file.exists():
        return None
    server = Deployment.model_validate_json(file.read_bytes())
    return server if server.is_remote or alive(server.process) is not None else None


def _champion(folder: Path, training: _Training | None, server: Deployment | None) -> Champion | None:
    promoted = training.promoted_at if training is not None else None
    if server is not None:
        plan = read_plan(folder / "service")
        version = server.version if plan is None else plan.champion.version or server.version
        since = server.rolled_at or server.started_at
        if training is not None and training.champion == version and promoted is not None:
            since = promoted
        return Champion(version, "" if plan is None else _kind(plan.champion.bundle), since)
    if training is None or not training.champion:
        return None
    kind = training.kind if training.version == training.champion else ""
    return Champion(training.champion, kind, promoted)


def _kind(bundle: Path) -> str:
    """What kind of model a bundle holds; empty: it cannot be read."""
    try:
        return str(json.loads((bundle / "manifest.json").read_bytes()).get("kind", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _links(folder: Path, home: Path, verdict: MonitoringVerdict | None, url: str) -> list[Link]:
    files = [("monitoring", folder / "monitoring" / PAGE)]
    if verdict is not None:
        files += [(f"Evidently: {name}", Path(file)) for name, file in verdict.reports.items() if name != "summary"]
    if (folder / "reports").is_dir():
        files += [(f"{file.stem} report", file) for file in sorted((folder / "reports").glob("*.html"))]
    links = [Link(text, _href(file, home)) for text, file in files if file.is_file()]
    return [*links, *([Link("service", url)] if urlsplit(url).scheme in {"http", "https"} else [])]


def _href(file: Path, home: Path) -> str:
    return quote(os.path.relpath(file, home).replace(os.sep, "/"))
