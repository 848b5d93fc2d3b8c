"""Erase a case from everything that serving keeps, and look whether anything is left."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from noria.config import UseCase
from noria.predictions import PredictionStore
from noria.predictions.erasure.entity_names import entity_names
from noria.predictions.erasure.file_erasure import EntityMatcher, erase_from_files
from noria.predictions.erasure.search_patterns import count_occurrences, search_patterns
from noria.predictions.ids import new_id
from noria.predictions.records import EntityRecords
from noria.predictions.spool.events import AuditEvent
from noria.predictions.sql_tables import name_of
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

_DRAIN_S = 60.0
_TIDY_TRIES = 10
_IDS_LOOKED_FOR = 5


@dataclass
class ErasureResult:
    """What there was of a case, and what there is now."""

    before: EntityRecords
    after: EntityRecords
    bytes_before: int
    """How often its name or the identifier of one of its predictions stood in the store's files."""
    bytes_after: int
    searched: list[Path]
    """The files that were searched afterwards and hold nothing of it; empty if the store is a database server."""
    others: int
    """Rows of other cases that hold the same text."""
    cleaned: list[tuple[Path, int]] = field(default_factory=list)
    """Other files that rows of it were taken out of, with how many."""
    left: list[tuple[Path, str]] = field(default_factory=list)
    """Where something of it still is, and what it is; these are no part of serving."""
    note: str = ""


def erase_entity(entity: str, use_case: UseCase, workspace: Workspace, spool: Path) -> ErasureResult:
    """Erase a case: its predictions, their labels, what events tell of it, and what waits in the spool.

    The spool is emptied into the store first, so that nothing comes after. The store's files are written anew
    and searched, byte by byte. It may be done again at any time.

    Args:
        entity: the case, as its identifier was sent; it is hashed here if it is kept so.
        use_case: names the identifier, and how it is kept.
        workspace: where the use case keeps things.
        spool: where answers wait for the store.

    Raises:
        NoriaError: the case cannot be named, the store or the spool does not work, or something is left.
    """
    names = entity_names(entity, use_case)
    store = PredictionStore(workspace.predictions_url)
    try:
        _empty_spool(spool, store)
        before, ids = store.holdings(names.all)
        wanted = search_patterns([*names.all, *map(name_of, names.all), *ids[:_IDS_LOOKED_FOR]])
        bytes_before = _count(store.files, wanted)
        if store.erase_case(names.all) or bytes_before:
            _write_anew(store)
        told = f"{before.predictions} predictions and {before.labels} labels of one case"
        store.keep([AuditEvent(new_id(), time.time(), "forgotten", "", "", told)])
        after, _ = store.holdings(names.all)
        done = ErasureResult(before, after, bytes_before, _count(store.files, wanted), store.files, 0, note=names.note)
        done.others = store.mentions(names.all)
    finally:
        store.close()
    case = EntityMatcher(str(use_case.data.id), names.all, ids, wanted)
    swept = erase_from_files(case, workspace, spool, done.searched)
    done.cleaned, done.left = swept.cleaned, swept.left
    _require_nothing_left(done)
    return done


def _empty_spool(spool: Path, store: PredictionStore) -> None:
    from noria.predictions.spool.flusher import drain

    if spool.is_dir() and not drain(spool, store, _DRAIN_S):
        raise NoriaError(
            f"the spool could not be moved to the store within {_DRAIN_S:.0f} seconds, so nothing was erased",
            where=str(spool),
            fix="do it again when the service is less busy",
        )


def _write_anew(store: PredictionStore) -> None:
    for attempt in range(_TIDY_TRIES):
        if store.tidy(rewrite=attempt == 0):
            return
        time.sleep(0.5)


def _count(files: Sequence[Path], wanted: Sequence[bytes]) -> int:
    return sum(count_occurrences(file, wanted) for file in files)


def _require_nothing_left(done: ErasureResult) -> None:
    if done.after:
        raise NoriaError(
            f"the case was predicted again meanwhile: {done.after.predictions} predictions",
            fix="stop sending it, and do this again",
        )
    if done.bytes_after and not done.others:
        raise NoriaError(
            "its rows are erased, but bytes of them are still in the store's files: somebody reads them at present",
            where=", ".join(map(str, done.searched)),
            fix="do this again when nothing else reads the store",
        )
