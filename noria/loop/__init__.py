"""The loop: from a verdict to an action, and its journal.

`evidence_of` gathers what a decision rests on, `choose` decides, `carry_on` performs the steps of an action, and the
`Journal` keeps all of it, so that a process that was killed goes on where it stopped.
"""

from noria.loop.actions import ActionRunner, StepResult, carry_on
from noria.loop.evidence import Evidence, ExpectedGain, evidence_of, lost_worth
from noria.loop.journal import Journal, JournalEntry, journal_file
from noria.loop.loop_state import ActionRecord, LoopState
from noria.loop.news import loop_news, news_of
from noria.loop.policy import Decision, choose

__all__ = [
    "ActionRecord",
    "ActionRunner",
    "Decision",
    "Evidence",
    "ExpectedGain",
    "Journal",
    "JournalEntry",
    "LoopState",
    "StepResult",
    "carry_on",
    "choose",
    "evidence_of",
    "journal_file",
    "loop_news",
    "lost_worth",
    "news_of",
]
