"""What the loop has done lately, in plain sentences for the monitoring page and the overview."""

from collections.abc import Iterator

from noria.loop.journal import Journal, JournalEntry, journal_file
from noria.loop.loop_state import LoopState
from noria.loop.messages import end_title
from noria.monitoring.loop_news import LoopNews, NewsItem
from noria.system.locks import holder
from noria.system.workspace import Workspace

_KEPT = 5
_DECISIONS = {
    "alert": "An alert was raised",
    "ask_for_labels": "Labels were asked for",
    "retrain": "A retraining was proposed",
    "introduce": "It was proposed to put a new version into service",
    "roll_back": "It was proposed to go back to the model before",
    "fall_back_to_rules": "It was proposed to let the rules answer",
}
_UNDER_WAY = {
    "retrain": "A retraining is under way",
    "introduce": "A new version is on its way into service",
    "roll_back": "A rollback is under way",
    "fall_back_to_rules": "The rules are being put into service",
}


def loop_news(workspace: Workspace, next_look: str = "") -> LoopNews:
    """The last decisions and actions of a use case's loop, the newest first.

    A decision that was made several times in a row is one item; decisions to do nothing are none. Lines of the journal
    that cannot be read are left out, with a warning.

    Args:
        workspace: of the use case.
        next_look: when the loop looks next, in words; empty: as its last look said, if it is running.
    """
    return news_of(Journal(journal_file(workspace)), workspace, next_look)


def news_of(journal: Journal, workspace: Workspace, next_look: str = "") -> LoopNews:
    """`loop_news` of a journal that has been read."""
    state, pid = LoopState.of(journal), holder("watch", workspace)
    if not next_look and pid is not None and state.last_look is not None:
        next_look = state.last_look.facts.get("next", "")
    under_way = "" if state.open is None else _UNDER_WAY.get(state.open.name, f"{state.open.name} is under way")
    return LoopNews(
        is_known=bool(journal.entries),
        is_watching=pid is not None,
        done=_merged(journal)[-_KEPT:][::-1],
        under_way=under_way,
        next_look=next_look,
    )


def _merged(journal: Journal) -> list[NewsItem]:
    items: list[NewsItem] = []
    for entry, text in _told(journal):
        why = entry.why[0] if entry.why else ""
        item = NewsItem(at=entry.at, text=text, why=why, command=entry.facts.get("command", ""))
        if items and items[-1].text == text and not _is_end(entry):
            item = item.model_copy(update={"times": items.pop().times + 1})
        items.append(item)
    return items


def _told(journal: Journal) -> Iterator[tuple[JournalEntry, str]]:
    for entry in journal.entries:
        if entry.kind == "look_failed":
            yield entry, "A look failed"
        elif entry.kind == "decision" and (entry.outcome == "propose" or entry.name in {"alert", "ask_for_labels"}):
            if entry.name in _DECISIONS:
                yield entry, _DECISIONS[entry.name]
        elif _is_end(entry):
            title = end_title(entry.name, entry.outcome)
            version = f" (version {entry.version})" if entry.version else ""
            yield entry, f"{title[:1].upper()}{title[1:]}{version}"


def _is_end(entry: JournalEntry) -> bool:
    return entry.kind == "action_ended"
