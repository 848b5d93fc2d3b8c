"""Erase a case from everything that serving stores, and check whether anything is left."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from noria.config import UseCase
from noria.predictions import PredictionStore
from noria.predictions.erasure.entity_matcher import EntityMatcher
from noria.predictions.erasure.entity_names import entity_names
from noria.predictions.erasure.file_erasure import erase_from_files, written_folders
from noria.predictions.erasure.own_values import stored_tables, with_own_values, without_shared
from noria.predictions.erasure.reach import Reach
from noria.predictions.erasure.search_patterns import count_occurrences, search_patterns
from noria.predictions.ids import new_id
from noria.predictions.records import EntityRecords
from noria.predictions.spool.events import AuditEvent
from noria.predictions.sql_tables import indexable_name
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

_DRAIN_S = 60.0
_VACUUM_ATTEMPTS = 10
_SEARCHED_IDS = 5


@dataclass
class ErasureResult:
    """The result of an erasure: what was stored of a case before and after."""

    before: EntityRecords
    after: EntityRecords
    bytes_before: int
    """Occurrences of its name or of ids of its predictions in the store's files."""
    bytes_after: int
    searched: list[Path]
    """The store's files that were searched afterwards; empty if the store is a database server."""
    others: int
    """Rows of other cases that contain the same text."""
    cleaned: list[tuple[Path, str]] = field(default_factory=list)
    """Other files and bundles that data was removed from, and what."""
    left: list[tuple[Path, str]] = field(default_factory=list)
    """Files outside of serving that still contain data of it, and what they contain."""
    folders: list[tuple[Path, int, int]] = field(default_factory=list)
    """Folder, its files and their bytes, which were searched afterwards."""
    values: int = 0
    """Texts of its rows that no other case has; they were looked for, too."""
    beyond: list[str] = field(default_factory=list)
    """Places that cannot be searched from here."""
    note: str = ""


def erase_entity(
    entity: str, use_case: UseCase, workspace: Workspace, spool: Path, reach: Reach | None = None
) -> ErasureResult:
    """Erase a case from everything that Noria wrote: predictions, labels, events, the spool, tables, bundles, reports.

    The spool is drained into the store first, so that nothing arrives later. The store's files are rewritten, and
    all files are searched, byte by byte. It may be repeated at any time.

    Args:
        entity: the case's identifier as it was sent; it is hashed here if the use case says so.
        use_case: names the identifier column and the privacy settings.
        workspace: the workspace of the use case.
        spool: the folder of the spool.
        reach: what else Noria has written; None: nothing, and bundles are searched only.

    Raises:
        NoriaError: the entity is not valid, the store or the spool fails, or something is left.
    """
    names, reach = entity_names(entity, use_case), reach or Reach()
    store = PredictionStore(workspace.predictions_url)
    try:
        _drain_spool(spool, store)
        before, ids = store.entity_records(names.all)
        case = EntityMatcher(use_case.name, str(use_case.data.id), use_case.data.target, names.all, ids)
        tables = stored_tables(written_folders(workspace, spool, reach))
        sheets = workspace.quarantine.glob("*.csv")
        others = store.counts().predictions - before.predictions
        case = with_own_values(case, use_case, tables, sheets, stored=store.inputs_of(ids), others_stored=others)
        wanted = search_patterns([*names.all, *map(indexable_name, names.all), *ids[:_SEARCHED_IDS]])
        bytes_before = _count(store.files, wanted)
        if store.erase_entity(names.all) or bytes_before:
            _rewrite(store)
        detail = f"{before.predictions} predictions and {before.labels} labels of one case"
        store.ingest([AuditEvent(new_id(), time.time(), "forgotten", "", "", detail)])
        after, _ = store.entity_records(names.all)
        done = ErasureResult(before, after, bytes_before, _count(store.files, wanted), store.files, 0, note=names.note)
        done.others = store.count_mentions(names.all)
        case = without_shared(case, store)
    finally:
        store.close()
    files = erase_from_files(case, workspace, spool, done.searched, reach)
    done.cleaned, done.left, done.folders = files.cleaned, files.left, files.searched
    done.values, done.beyond = len(case.values), list(reach.beyond)
    _require_nothing_left(done)
    return done


def _drain_spool(spool: Path, store: PredictionStore) -> None:
    from noria.predictions.spool.flusher import drain

    if spool.is_dir() and not drain(spool, store, _DRAIN_S):
        raise NoriaError(
            f"the spool could not be moved to the store within {_DRAIN_S:.0f} seconds, so nothing was erased",
            code="spool.not_drained",
            where=str(spool),
            fix="try again when the service is less busy",
        )


def _rewrite(store: PredictionStore) -> None:
    for attempt in range(_VACUUM_ATTEMPTS):
        if store.compact(rewrite=attempt == 0):
            return
        time.sleep(0.5)


def _count(files: Sequence[Path], wanted: Sequence[bytes]) -> int:
    return sum(count_occurrences(file, wanted) for file in files)


def _require_nothing_left(done: ErasureResult) -> None:
    if done.after:
        raise NoriaError(
            f"the case was predicted again in the meantime: {done.after.predictions} predictions",
            code="predictions.entity_predicted_again",
            fix="stop sending it, and try again",
        )
    if done.bytes_after and not done.others:
        raise NoriaError(
            "its rows are erased, but bytes of them are still in the store's files: another process is reading them",
            code="predictions.traces_left",
            where=", ".join(map(str, done.searched)),
            fix="try again when nothing else reads the store",
        )
