"""The prediction store: what was answered is written before the answer is sent, labels find their prediction.

A label names a prediction or a case. A case may be predicted more than once, so a case's label goes to all its
predictions that have none yet; if all have one, it replaces the newest. A label without a prediction waits for it.
"""

import threading
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, func, insert, select

from noria.predictions.comparison import facts_of
from noria.predictions.database import connect, reading, writing
from noria.predictions.erasing import erase_case, erase_old, holdings, mentions
from noria.predictions.frame import inputs_of, to_frame
from noria.predictions.housekeeping import empty_log, rewrite_tables
from noria.predictions.keep import keep_entries
from noria.predictions.labelling import keep_labels
from noria.predictions.matching import Arrived, attach_waiting
from noria.predictions.plain import plain
from noria.predictions.records import SMOKE, Counts, Feedback, Holdings, PredictionRecord, VariantFacts
from noria.predictions.tables import labels, name_of, predictions

if TYPE_CHECKING:
    import pandas as pd

    from noria.spool.entries import Entry

__all__ = ["PredictionStore", "inputs_of"]

_AT_ONCE = 500
_ASKED_FOR = predictions.c.variant != SMOKE
_ANSWERED = and_(_ASKED_FOR, predictions.c.shadow_of.is_(None))


class PredictionStore:
    """Predictions and labels in a SQL database; SQLite in WAL mode by default.

    Safe for several threads and, with the same URL, for several processes. Every method raises NoriaError when the
    database cannot be reached, read or written.
    """

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self._turn = threading.Lock()  # threads queue fairly here; SQLite's own lock makes them poll

    def append(self, records: Sequence[PredictionRecord]) -> None:
        """Keep the records, all or none; they are on disk when this returns."""
        if not records:
            return
        rows = [_row(record) for record in records]
        with self._turn, writing(self._engine) as connection:
            connection.execute(insert(predictions), rows)
            attach_waiting(connection, [_arrived(each) for each in records])

    def keep(self, entries: Sequence["Entry"]) -> int:
        """Keep what the spool holds, all or nothing; returns how many predictions were new.

        Entries that are kept already change nothing, so they can be given again after a failure. Several thousand
        rows at once are fastest.
        """
        if not entries:
            return 0
        with self._turn, writing(self._engine) as connection:
            return keep_entries(connection, entries)

    def label(self, feedbacks: Sequence[Feedback]) -> list[bool]:
        """Keep the labels, all or none. For each, in order: is its prediction known?

        The label of an unknown one waits and is joined when the prediction arrives. A repeated label replaces the
        one before, which stays in the table `labels`. A label whose key is kept already changes nothing. What a
        prediction gets, its shadows get too.
        """
        if not feedbacks:
            return []
        with self._turn, writing(self._engine) as connection:
            return keep_labels(connection, feedbacks)

    def window(
        self,
        since: datetime,
        until: datetime | None = None,
        limit: int | None = None,
        version: str | None = None,
        labelled: bool | None = None,
        *,
        variants: Sequence[str] | None = None,
        shadows: bool = False,
    ) -> "pd.DataFrame":
        """Predictions with `since` ≤ at < `until`, oldest first; both times must carry a zone.

        Columns: prediction_id, at (UTC), version, variant, entity, each input column, prediction, probability,
        decision, latency_ms, label, labelled_at. An input column that is named like one of these is called
        `input.NAME`; `inputs_of` gives the inputs under their own names.
        If there are more than `limit`, a random sample of that many, the same each time. `labelled` keeps only the
        rows with a label (True) or without (False), `variants` those of these variants. Smoke tests are left out, and
        without `shadows` the predictions of shadow variants, too.
        """
        chosen = select(predictions).where(_ASKED_FOR if shadows else _ANSWERED, predictions.c.at >= since)
        if until is not None:
            chosen = chosen.where(predictions.c.at < until)
        if version is not None:
            chosen = chosen.where(predictions.c.version == version)
        if labelled is not None:
            chosen = chosen.where(predictions.c.label_id.is_not(None) == labelled)
        if variants is not None:
            chosen = chosen.where(predictions.c.variant.in_(variants))
        if limit is not None:  # identifiers are random, so the first ones in their order are a random sample
            sample = chosen.with_only_columns(predictions.c.id).order_by(predictions.c.id).limit(limit)
            chosen = select(predictions).where(predictions.c.id.in_(sample))
        with reading(self._engine) as connection:
            rows = connection.execute(chosen.order_by(predictions.c.at, predictions.c.seq)).mappings().all()
        return to_frame(rows)

    def counts(self, version: str | None = None) -> Counts:
        """How many answers are kept, in all or of one model version; smoke tests and shadows are left out.

        Labels without a prediction belong to no version.
        """
        chosen: Select[Any] = select(
            func.count(predictions.c.request_id.distinct()),
            func.count(),
            func.count(predictions.c.label_id),
            func.min(predictions.c.at),
            func.max(predictions.c.at),
        ).where(_ANSWERED)
        if version is not None:
            chosen = chosen.where(predictions.c.version == version)
        waiting = select(func.count()).select_from(labels).where(labels.c.pending)
        with reading(self._engine) as connection:
            requests, answered, labelled, first_at, last_at = connection.execute(chosen).one()
            unmatched = connection.execute(waiting).scalar_one() if version is None else 0
        return Counts(requests, answered, labelled, unmatched, first_at, last_at)

    def comparison(self, since: datetime, variants: Sequence[str], limit: int = 20_000) -> dict[str, VariantFacts]:
        """How each of the variants has done since then, by name; of lists the newest `limit` elements."""
        with reading(self._engine) as connection:
            return {variant: facts_of(connection, variant, since, limit) for variant in variants}

    def unknown(self, ids: Sequence[str]) -> list[str]:
        """Those of the identifiers that no kept prediction has, in their order."""
        found: set[str] = set()
        with reading(self._engine) as connection:
            for start in range(0, len(ids), _AT_ONCE):
                wanted = select(predictions.c.id).where(predictions.c.id.in_(ids[start : start + _AT_ONCE]))
                found.update(connection.execute(wanted).scalars())
        return [id for id in ids if id not in found]

    def erase_before(self, moment: datetime, limit: int | None = None) -> Holdings:
        """Erase predictions older than `moment` with their labels, older labels, and events that may tell of rows.

        At most `limit` of each; nothing is erased when nothing of that is left. See `noria.predictions.retention`.
        """
        with self._turn, writing(self._engine) as connection:
            return erase_old(connection, moment, limit)

    def holdings(self, cases: Collection[str]) -> tuple[Holdings, list[str]]:
        """What is kept of a case, known under any of these names, and the ids of its predictions."""
        with reading(self._engine) as connection:
            return holdings(connection, [name_of(case) for case in cases])

    def erase_case(self, cases: Collection[str]) -> Holdings:
        """Erase everything of a case, known under any of these names; of events that name it, the words."""
        with self._turn, writing(self._engine) as connection:
            return erase_case(connection, [name_of(case) for case in cases])

    def mentions(self, texts: Collection[str]) -> int:
        """How many rows hold one of the texts, of whatever case; all rows are looked at."""
        with reading(self._engine) as connection:
            return mentions(connection, texts)

    def tidy(self, *, rewrite: bool = False) -> bool:
        """Let erased bytes go from the files, too; False if somebody reads at present, so that some stay for now.

        With `rewrite` the tables are written anew, which takes room and time, and others cannot write meanwhile.
        """
        with self._turn:
            if rewrite:
                rewrite_tables(self._engine)
            return empty_log(self._engine)

    @property
    def files(self) -> list[Path]:
        """The files of a SQLite database; empty for a database server."""
        name = self._engine.url.database
        if self._engine.dialect.name != "sqlite" or not name or name == ":memory:":
            return []
        return [path for suffix in ("", "-wal", "-shm", "-journal") if (path := Path(name + suffix)).is_file()]

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _row(record: PredictionRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "at": record.at,
        "request_id": record.request_id,
        "model": record.model,
        "version": record.version,
        "variant": record.variant,
        "policy": record.policy,
        "entity": _case(record),
        "shadow_of": record.shadow_of,
        "features": {name: plain(value) for name, value in record.features.items()},
        "prediction": plain(record.prediction),
        "probability": plain(record.probability),
        "decision": record.decision,
        "warning": record.warning,
        "latency_ms": record.latency_ms,
    }


def _case(record: PredictionRecord) -> str | None:
    return None if record.entity is None else name_of(record.entity)


def _arrived(record: PredictionRecord) -> Arrived:
    return Arrived(record.id, None if record.variant == SMOKE else _case(record), record.shadow_of)
