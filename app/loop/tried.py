"""Whether training again was tried on what is known, and did not help: the same advice would not help either."""

from app.commands.train import checked_inputs
from app.runs.training_record import TrainingRecord, last_training
from noria.config import UseCase
from noria.loop import Journal, LoopState, journal_file
from noria.loop.evidence import in_vain
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

_INSTEAD = (
    "Training again on the same data would say the same. Ask those who know the data why columns moved, hand in "
    "overdue labels, look for columns that explain the newest errors, or let the decision threshold follow."
)


def tried_in_vain(use_case: UseCase, stack: str | None) -> str:
    """What was tried and what to do instead, in plain sentences; empty: nothing was, or there is something new.

    A training by hand counts like one of the loop.
    """
    record = last_training(Workspace(use_case.name))
    if record is None or not record.champion:
        return ""
    said = _of_loop(use_case, record) or _of_hand(record)
    if not said or _is_something_new(use_case, stack, record):
        return ""
    return f"Retraining was tried and did not help ({said}). {_INSTEAD}"


def _of_loop(use_case: UseCase, record: TrainingRecord) -> str:
    state = LoopState.of(Journal(journal_file(Workspace(use_case.name))))
    lost = state.fruitless(record.champion)
    return in_vain(lost[-1]) if lost else ""


def _of_hand(record: TrainingRecord) -> str:
    if record.promote != "none" or record.version == record.champion:
        return ""
    return f"{record.at:%Y-%m-%d}, version {record.version}: {record.reason}"


def _is_something_new(use_case: UseCase, stack: str | None, record: TrainingRecord) -> bool:
    try:
        return checked_inputs(use_case, stack) != record.inputs
    except NoriaError:  # monitoring does not need the sources
        return False
