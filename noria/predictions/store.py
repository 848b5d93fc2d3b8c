"""The prediction store: predictions, their true labels, and audit events in a SQL database.

A label names a prediction or a case. A case may be predicted more than once, so a case's label goes to all its
predictions without one; if all have one, it replaces the newest. A label without a prediction waits for it.
"""

import threading
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noria.predictions.case_stream import CaseStream
from noria.predictions.database import BUSY_TIMEOUT_MS, connect, reading, writing
from noria.predictions.dataframe import inputs_of, to_dataframe
from noria.predictions.erasure_queries import count_mentions, entity_records, erase_entity, erase_old, stored_inputs
from noria.predictions.ingest import ingest_events
from noria.predictions.label_sources import label_counts, label_sources
from noria.predictions.label_store import labels_known, require_under_way, store_labels
from noria.predictions.queries import (
    case_span,
    count_of,
    for_review,
    given_labels,
    has_own_labels,
    known_ids,
    outside_counts,
    predicted_models,
    rows_query,
    store_counts,
    unlabelled,
    window_query,
)
from noria.predictions.records import (
    EntityRecords,
    Feedback,
    GivenLabel,
    StoreCounts,
    VariantStatistics,
    require_past,
)
from noria.predictions.scan import ScanQuery, StoredPart, most_rows, scan
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

    def __init__(self, url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        """Open the store.

        Args:
            url: a SQLAlchemy URL.
            busy_timeout_ms: how long a writer waits for other writers, in milliseconds.
        """
        self._engine = connect(url, busy_timeout_ms)
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

    def add_labels(
        self, feedbacks: Sequence[Feedback], *, refuse_unknown: bool = False, now: datetime | None = None
    ) -> list[bool]:
        """Store the labels, all or none. For each, in order: is its prediction known?

        The label of an unknown one waits and is joined when the prediction arrives. A repeated label replaces the
        previous one, which stays in the table `labels`. A label whose key is stored already changes nothing. The
        label of a prediction also goes to its shadows.

        With `refuse_unknown` nothing is stored if no prediction is known at all: then the identifiers are wrong. A
        prediction that was made a moment ago may still be on its way from another server, so its label may wait.

        Args:
            feedbacks: the labels.
            refuse_unknown: see above.
            now: the time (with a zone) that labels must not be later than; by default that of this machine.

        Raises:
            LabelsUnknown: with `refuse_unknown`, no prediction is known or may be on its way.
            NoriaError: a label comes from the future.
        """
        if not feedbacks:
            return []
        require_past(feedbacks, now or datetime.now(UTC))
        with self._lock, writing(self._engine) as connection:
            known = store_labels(connection, feedbacks)
            if refuse_unknown and not any(known):
                require_under_way(feedbacks)
            return known

    def check_labels(self, feedbacks: Sequence[Feedback], *, refuse_unknown: bool = False) -> list[bool]:
        """As `add_labels` for labels of a test, but nothing is stored; cases are those of test requests.

        Raises:
            LabelsUnknown: with `refuse_unknown`, no prediction is known or may be on its way.
        """
        with reading(self._engine) as connection:
            known = labels_known(connection, feedbacks)
        if refuse_unknown and not any(known):
            require_under_way(feedbacks)
        return known

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
        """Predictions of cases that happen from `since` until before `until`, oldest first; both carry a zone.

        Columns: prediction_id, at (when it was asked, UTC), event_at (when the case happens, UTC: as `data.time` says
        or, without it, `at`), version, variant, entity, each input column, prediction, probability, decision,
        latency_ms, label, labelled_at, label_changes (how often a label of another value replaced the last one). An
        input column with one of these names is called `input.NAME`; `inputs_of` gives the inputs under their own names.
        If there are more than `limit`, a random sample of that many, the same each time. `labelled` keeps only the
        rows with a label (True) or without (False), `variants` those of these variants. Smoke tests and test requests
        are left out, and without `shadows` the predictions of shadow variants, too.
        """
        chosen = window_query(since, until, limit, version, labelled, variants=variants, shadows=shadows)
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).mappings().all()
        return to_dataframe(rows)

    def count_labelled(self, since: datetime, until: datetime, version: str) -> int:
        """How many rows `window` has for this time (with a zone), version and `labelled=True`, without a limit."""
        chosen = window_query(since, until, None, version, True, variants=None, shadows=False)
        with reading(self._engine) as connection:
            return connection.execute(count_of(chosen)).scalar_one()

    def rows_of(self, ids: Collection[str]) -> "pd.DataFrame":
        """The predictions with these identifiers, as `window` gives them, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(rows_query(connection, ids)).mappings().all()
        return to_dataframe(rows)

    def scan(self, query: ScanQuery) -> Iterator[StoredPart]:
        """All predictions that the query describes, in parts: as many as there are, in bounded memory."""
        return scan(self._engine, query)

    def most_rows(self, since: datetime) -> int:
        """An upper bound, quick to find, of the predictions of cases that happen from `since` on, of all versions."""
        return most_rows(self._engine, since)

    def label_counts(self, since: datetime, until: datetime, version: str) -> dict[tuple[str, bool, bool], int]:
        """Predictions of a version of cases that happen from `since` until before `until`.

        Returns:
            (decision, whether it has a label, whether its case was selected for one) → how many.
        """
        with reading(self._engine) as connection:
            return label_counts(connection, since, until, version)

    def label_sources(self, since: datetime, until: datetime, version: str, limit: int) -> "pd.DataFrame":
        """The same predictions, at most `limit` of them drawn at random, with how they came by their labels.

        Columns: prediction_id, variant, event_at (UTC), decision, score (the probability, or the predicted number),
        is_labelled, selected_by (why the case was selected for a label; missing: it was not).
        """
        with reading(self._engine) as connection:
            return label_sources(connection, since, until, version, limit)

    def outside(self, since: datetime, until: datetime, version: str) -> tuple[int, datetime | None, datetime | None]:
        """Predictions of a version that were asked in this time, of cases that do not happen in it.

        Returns:
            Their number, and the first and the last time at which such a case happens (UTC).
        """
        with reading(self._engine) as connection:
            return outside_counts(connection, since, until, version)

    def case_span(self, version: str) -> tuple[int, datetime | None, datetime | None]:
        """How many predictions of a version there are, and when the first and the last of their cases happen (UTC)."""
        with reading(self._engine) as connection:
            return case_span(connection, version)

    def case_stream(self, model: str) -> CaseStream:
        """The cases and labels of one model, to be followed as they are stored."""
        return CaseStream(self._engine, model)

    def counts(self, version: str | None = None) -> StoreCounts:
        """The number of stored predictions, overall or of one version, without smoke tests, test requests and shadows.

        Labels without a prediction belong to no version.
        """
        with reading(self._engine) as connection:
            return store_counts(connection, version)

    def variant_statistics(
        self, since: datetime, variants: Sequence[str], limit: int = 20_000
    ) -> dict[str, VariantStatistics]:
        """The statistics of the variants since then, by name, without test requests.

        Lists hold the newest `limit` elements.
        """
        with reading(self._engine) as connection:
            return {variant: variant_statistics(connection, variant, since, limit) for variant in variants}

    def unknown_ids(self, ids: Sequence[str]) -> list[str]:
        """The identifiers that no stored prediction has, in the given order."""
        with reading(self._engine) as connection:
            known = known_ids(connection, ids)
        return [id for id in ids if id not in known]

    def given_labels(self, ids: Collection[str]) -> list[GivenLabel]:
        """What people have said of these predictions, the earliest first; replaced labels, too."""
        with reading(self._engine) as connection:
            return given_labels(connection, ids)

    def unlabelled(self, ids: Collection[str]) -> set[str]:
        """Those of these predictions that are known and have no label."""
        with reading(self._engine) as connection:
            return unlabelled(connection, ids)

    def for_review(self, model: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """The newest predictions of a model that a person decides and that have no label: id, and inputs as kept."""
        with reading(self._engine) as connection:
            return for_review(connection, model, limit)

    def predicted_models(self, ids: Collection[str]) -> dict[str, str]:
        """Prediction → the name of the model that made it, of those ids that are known."""
        with reading(self._engine) as connection:
            return predicted_models(connection, ids)

    def has_own_labels(self) -> bool:
        """Whether any label has come by itself, without a person who was asked."""
        with reading(self._engine) as connection:
            return has_own_labels(connection)

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

    def inputs_of(self, ids: Collection[str]) -> list[dict[str, Any]]:
        """The inputs of stored predictions, column → value, of those ids that are known."""
        with reading(self._engine) as connection:
            return stored_inputs(connection, ids)

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
