"""New cases and labels of one model, as they reach the store: for those who keep count of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Engine, Select, func, select

from noria.predictions.database import reading
from noria.predictions.queries import SENT
from noria.predictions.records import Value
from noria.predictions.sql_tables import labels, predictions

_PAGE = 2_000


class StoredCase(NamedTuple):
    """A case that was asked about."""

    seq: int
    id: str
    entity: str | None
    features: dict[str, Any]
    label: Value


class StoredLabel(NamedTuple):
    """The label of a prediction."""

    seq: int
    id: str
    label: Value


class CaseStream:
    """The cases of one model in the order in which they were stored, without tests and shadows.

    Args:
        engine: of the store.
        model: the name of the model.
    """

    def __init__(self, engine: Engine, model: str) -> None:
        self._engine, self._model = engine, model
        self._case = self._label = 0

    def newest_first(self) -> Iterator[list[StoredCase]]:
        """The cases that are there now, in pages, the newest first; `new_cases` goes on after them."""
        with reading(self._engine) as connection:
            self._case = connection.scalar(select(func.max(predictions.c.seq))) or 0
            self._label = connection.scalar(select(func.max(labels.c.seq))) or 0
        before = self._case + 1
        while page := self._page(self._cases.where(predictions.c.seq < before).order_by(predictions.c.seq.desc())):
            yield page
            before = page[-1].seq

    def new_cases(self) -> Iterator[list[StoredCase]]:
        """The cases since the last call, in pages."""
        while page := self._page(self._cases.where(predictions.c.seq > self._case).order_by(predictions.c.seq)):
            self._case = page[-1].seq
            yield page

    def new_labels(self) -> Iterator[list[StoredLabel]]:
        """The labels since the last call, in pages; of each prediction the newest."""
        row = predictions.c
        matched = select(labels.c.seq, row.id, row.label).join(predictions, row.label_id == labels.c.id)
        matched = matched.where(row.model == self._model, row.shadow_of.is_(None))
        with reading(self._engine) as connection:
            newest = connection.scalar(select(func.max(labels.c.seq))) or 0
        while self._label < newest:
            upto = min(self._label + _PAGE, newest)
            with reading(self._engine) as connection:
                found = connection.execute(matched.where(labels.c.seq > self._label, labels.c.seq <= upto)).all()
            self._label = upto
            if found:
                yield [StoredLabel(*each) for each in found]

    @property
    def _cases(self) -> Select[Any]:
        row = predictions.c
        return select(row.seq, row.id, row.entity, row.features, row.label).where(SENT, row.model == self._model)

    def _page(self, query: Select[Any]) -> list[StoredCase]:
        with reading(self._engine) as connection:
            return [StoredCase(*each) for each in connection.execute(query.limit(_PAGE))]
