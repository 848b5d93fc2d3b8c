"""The prediction store: predictions, their true labels, and audit events in a SQL database.

A label names a prediction or a case. A case may be predicted more than once, so a case's label goes to all its
predictions without one; if all have one, it replaces the newest. A label without a prediction waits for it.
"""

import threading
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from noria.predictions.database import connect, reading, writing
from noria.predictions.dataframe import inputs_of, to_dataframe
from noria.predictions.erasure_queries import count_mentions, entity_records, erase_entity, erase_old
from noria.predictions.ingest import ingest_events
from noria.predictions.label_store import store_labels
from noria.predictions.queries import known_ids, store_counts, window_query
from noria.predictions.records import EntityRecords, Feedback, StoreCounts, VariantStatistics
from noria.predictions.sql_tables import indexable_name
from noria.predictions.vacuum import empty_log, rewrite_tables
from noria.predictions.variant_statistics import variant_statistics

if TYPE_CHECKING:
    import pandas as pd

    from noria.predictions.spool.events import Event

__all__ = ["PredictionStore", "inputs_of"]


class PredictionStore:
    """Predictions and labels in a SQL database; SQLite in WAL mode by default.

    Safe for several threads and, with the same URL, for several processes. Every method raises NoriaError when the
    database cannot be reached, read or written.

    >>> store = PredictionStore("sqlite:///predictions.db")
    >>> store.add_labels([Feedback(id="a prediction that has not arrived yet", label="Yes")])
    [False]
    >>> store.counts().unmatched_labels
    1
    >>> store.close()
    """

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self._lock = threading.Lock()  # threads queue fairly here; SQLite's own lock makes them poll

    def ingest(self, events: Sequence["Event"]) -> int:
        """Store events, all or none; they are on disk when this returns. Returns how many predictions were new.

        Events that are stored already change nothing, so they can be sent again after a failure. Several thousand
        rows at once are fastest.
        """
        if not events:
            return 0
        with self._lock, writing(self._engine) as connection:
            return ingest_events(connection, events)

    def add_labels(self, feedbacks: Sequence[Feedback]) -> list[bool]:
        """Store the labels, all or none. For each, in order: is its prediction known?

        The label of an unknown one waits and is joined when the prediction arrives. A repeated label replaces the
        previous one, which stays in the table `labels`. A label whose key is stored already changes nothing. The
        label of a prediction also goes to its shadows.
        """
        if not feedbacks:
            return []
        with self._lock, writing(self._engine) as connection:
            return store_labels(connection, feedbacks)

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
        decision, latency_ms, label, labelled_at. An input column with one of these names is called
        `input.NAME`; `inputs_of` gives the inputs under their own names.
        If there are more than `limit`, a random sample of that many, the same each time. `labelled` keeps only the
        rows with a label (True) or without (False), `variants` those of these variants. Smoke tests are left out, and
        without `shadows` the predictions of shadow variants, too.
        """
        chosen = window_query(since, until, limit, version, labelled, variants=variants, shadows=shadows)
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).mappings().all()
        return to_dataframe(rows)

    def counts(self, version: str | None = None) -> StoreCounts:
        """The number of stored predictions, overall or of one version; smoke tests and shadows are left out.

        Labels without a prediction belong to no version.
        """
        with reading(self._engine) as connection:
            return store_counts(connection, version)

    def variant_statistics(
        self, since: datetime, variants: Sequence[str], limit: int = 20_000
    ) -> dict[str, VariantStatistics]:
        """The statistics of the variants since then, by name; lists hold the newest `limit` elements."""
        with reading(self._engine) as connection:
            return {variant: variant_statistics(connection, variant, since, limit) for variant in variants}

    def unknown_ids(self, ids: Sequence[str]) -> list[str]:
        """The identifiers that no stored prediction has, in the given order."""
        with reading(self._engine) as connection:
            known = known_ids(connection, ids)
        return [id for id in ids if id not in known]

    def erase_before(self, moment: datetime, limit: int | None = None) -> EntityRecords:
        """Erase predictions older than `moment` with their labels, older labels, and events with data of rows.

        At most `limit` of each; the result is empty when nothing is left to erase. See `noria.predictions.retention`.
        """
        with self._lock, writing(self._engine) as connection:
            return erase_old(connection, moment, limit)

    def entity_records(self, cases: Collection[str]) -> tuple[EntityRecords, list[str]]:
        """Counts of the rows of a case, known under any of these names, and the ids of its predictions."""
        with reading(self._engine) as connection:
            return entity_records(connection, [indexable_name(case) for case in cases])

    def erase_entity(self, cases: Collection[str]) -> EntityRecords:
        """Erase all rows of a case, known under any of these names, and the details of events that name it."""
        with self._lock, writing(self._engine) as connection:
            return erase_entity(connection, [indexable_name(case) for case in cases])

    def count_mentions(self, texts: Collection[str]) -> int:
        """The number of rows, of any case, that contain one of the texts; scans all rows."""
        with reading(self._engine) as connection:
            return count_mentions(connection, texts)

    def compact(self, *, rewrite: bool = False) -> bool:
        """Remove erased bytes from the files, too; returns False if a reader is active, so that some stay for now.

        With `rewrite` the tables are rewritten, which takes space and time, and blocks other writers.
        """
        with self._lock:
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
