"""History features case by case, for serving: kept up to date in memory."""

import math
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.config.history import HistoryFeature
from noria.history.cases import NO_TIME, Cases, Texts, read_cases
from noria.history.seed import spec_of, unpack_seed
from noria.history.series import Series
from noria.history.windows import Sums, feature_values, finish, known_at, look_back, split_number, sums_before
from noria.schema import InputSchema
from noria.tabular.column_reader import Raw

_SEED = "seed "
_FEW = 4_096
"""So many cases are kept at any age."""
Key = tuple[str | None, ...]
Entry = tuple[Series, int, int, int]
Slot = tuple[int, Series, int]


@dataclass(slots=True)
class _Case:
    """A case that counts for later ones."""

    time: int
    entity: str | None
    identity: tuple[object, ...]
    entries: list[Entry] = field(default_factory=list)
    """Its values of features that need no label."""
    slots: list[Slot] = field(default_factory=list)
    """Features that need its label: their place, their values, and when the label is known."""
    label: float = math.nan
    labels: list[Entry] = field(default_factory=list)


class HistoryState:
    """The earlier cases of one model, and the features that they give to new ones.

    Safe for several threads. The features are those of `add_history`, to the bit, if the same cases and labels are
    known. A case counts once: one with an identifier replaces what was known of it, one without replaces a case of the
    training table that agrees in time, keys and numbers.

    Args:
        schema: of a model with history features.
        seed: the cases that travel with the model, see `pack_seed`.

    Raises:
        NoriaError: the seed cannot be read.
    """

    def __init__(self, schema: InputSchema, seed: bytes | None = None) -> None:
        self.spec = spec_of(schema)
        self._columns = {column.name: column for column in schema.columns}
        self._series: list[dict[Key, Series]] = [defaultdict(Series) for _ in self.spec.features]
        self._cases: dict[str, _Case] = {}
        self._by_entity: dict[str, str] = {}
        self._seeded: dict[tuple[object, ...], list[str]] = defaultdict(list)
        self._parts_of: dict[tuple[int, float], tuple[int, int]] = {}
        self._most = _FEW
        self._lock = threading.RLock()
        if seed is not None:
            cases, entities = unpack_seed(seed)
            self._add_seed(cases, entities)

    def __len__(self) -> int:
        return len(self._cases)

    def __contains__(self, id: object) -> bool:
        return id in self._cases

    def read(self, raw: Mapping[str, Raw]) -> Cases:
        """n cases from the values of a request or a table: column → n values."""
        return read_cases(self.spec, self._columns, raw)

    def features(self, cases: Cases, entities: Sequence[str | None]) -> list[NDArray[np.float64]]:
        """(n,) values of each feature of n cases that are asked about together; they count for each other, too.

        Args:
            cases: as `read` gives them.
            entities: (n,) the identifiers of the cases; None where they have none.
        """
        with self._lock:
            fresh = np.array([place for place, one in enumerate(entities) if one not in self._by_entity], dtype=np.intp)
            found = []
            for place, feature in enumerate(self.spec.features):
                sums = self._sums(place, feature, cases)
                if len(cases) > 1 and feature.of != self.spec.target:
                    sums = sums.plus(sums_before(self.spec, feature, cases.take(fresh), cases))
                found.append(finish(feature, sums, cases.times))
            return found

    def complete(
        self, names: Sequence[str], rows: Sequence[tuple[Any, ...]], entities: Sequence[str | None]
    ) -> list[tuple[Any, ...]]:
        """n rows of a request with the features behind their values; None where a feature is missing.

        Args:
            names: the columns of the rows.
            rows: n rows as received.
            entities: (n,) the identifiers of the cases.
        """
        features = self.features(self.read(self._raw(names, rows)), entities)
        values = [[None if math.isnan(one) else one for one in column.tolist()] for column in features]
        return [(*row, *more) for row, more in zip(rows, zip(*values, strict=True), strict=True)]

    def add_rows(
        self,
        names: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
        ids: Sequence[str],
        entities: Sequence[str | None],
    ) -> None:
        """`add` for n rows of a request; rows that lack a column that is needed do not count."""
        if {*self.spec.inputs} <= {*names}:
            self.add(self.read(self._raw(names, rows)), ids, entities)

    def _raw(self, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Raw]:
        places = {name: place for place, name in enumerate(names)}
        return {name: [row[places[name]] for row in rows] for name in self.spec.inputs}

    def add(self, cases: Cases, ids: Sequence[str], entities: Sequence[str | None]) -> None:
        """Let n cases count from now on.

        Args:
            cases: as `read` gives them.
            ids: (n,) the identifiers of their predictions; one that is known already changes nothing.
            entities: (n,) the identifiers of the cases; None where they have none.
        """
        with self._lock:
            self._add(cases, ids, entities)
            self._prune()

    def label(self, value: str | float, *, id: str | None = None, entity: str | None = None) -> bool:
        """Note the label of a case, named by its prediction or by its own identifier; does it count?"""
        if not self.spec.uses_target:
            return False
        number = float(value == self.spec.positive) if self.spec.positive is not None else float(value)
        with self._lock:
            id = self._by_entity.get(str(entity)) if id is None else id
            case = None if id is None else self._cases.get(id)
            if case is None:
                return False
            if case.label != number:
                self._label(case, number)
            return True

    def rename_entities(self, name: Mapping[str, str | None]) -> None:
        """Know cases by other identifiers, such as the hashed ones that the prediction store has."""
        with self._lock:
            self._by_entity = {}
            for id, case in self._cases.items():
                case.entity = case.entity if case.entity is None else name.get(case.entity, case.entity)
                if case.entity is not None:
                    self._by_entity[case.entity] = id

    @property
    def entities(self) -> list[str]:
        """The identifiers of the known cases."""
        with self._lock:
            return list(self._by_entity)

    def _sums(self, place: int, feature: HistoryFeature, cases: Cases) -> Sums:
        series = self._series[place]
        starts, ends = look_back(self.spec, feature, np.where(cases.times == NO_TIME, 0, cases.times))
        found = np.zeros((3, len(cases)), dtype=np.int64)
        moments = zip(_keys(feature, cases), starts.tolist(), ends.tolist(), strict=True)
        for row, (key, start, end) in enumerate(moments):
            known = series.get(key)
            if known is not None:
                found[:, row] = known.sums(start, end)
        return Sums(*found)

    def _add_seed(self, cases: Cases, entities: Sequence[str | None]) -> None:
        ids = [f"{_SEED}{place}" for place in range(len(cases))]
        self._add(cases, ids, entities)
        labels = cases.numbers.get(self.spec.target, np.full(len(cases), np.nan)).tolist()
        for id, label in zip(ids, labels, strict=True):
            case = self._cases[id]
            if not math.isnan(label):
                self._label(case, label)
            if case.entity is None:
                self._seeded[case.identity].append(id)

    def _add(self, cases: Cases, ids: Sequence[str], entities: Sequence[str | None]) -> None:
        identities = cases.identities()
        new = [
            _Case(time, entity, identity) if id not in self._cases and time != NO_TIME else None
            for id, entity, time, identity in zip(ids, entities, cases.times.tolist(), identities, strict=True)
        ]
        olds = [None if case is None else self._replaced(case) for case in new]
        for place, feature in enumerate(self.spec.features):
            self._count(place, feature, cases, new)
        for id, case, old in zip(ids, new, olds, strict=True):
            if case is None:
                continue
            self._cases[id] = case
            if case.entity is not None:
                self._by_entity[case.entity] = id
            if old is not None and not math.isnan(old.label):
                self._label(case, old.label)

    def _count(self, place: int, feature: HistoryFeature, cases: Cases, new: Sequence[_Case | None]) -> None:
        """Let cases count for one feature, or note where their labels will."""
        series = self._series[place]
        moments = known_at(self.spec, feature, cases).tolist()
        keys = _keys(feature, cases)
        if feature.of == self.spec.target:
            for case, key, moment in zip(new, keys, moments, strict=True):
                if case is not None:
                    case.slots.append((place, series[key], moment))
            return
        values = feature_values(feature, cases)
        unknown = np.isnan(values)
        wholes, parts = (each.tolist() for each in split_number(np.where(unknown, 0, values)))
        for row, case in enumerate(new):
            if case is not None and not unknown[row]:
                known = series[keys[row]]
                known.add(moments[row], wholes[row], parts[row])
                case.entries.append((known, moments[row], wholes[row], parts[row]))

    def _replaced(self, case: _Case) -> _Case | None:
        """What was known of the same case, which counts no longer."""
        if case.entity is not None:
            old = self._by_entity.pop(case.entity, None)
        else:
            seeded = self._seeded.get(case.identity)
            old = seeded.pop() if seeded else None
        gone = None if old is None else self._cases.pop(old, None)
        if gone is not None:
            for series, *entry in [*gone.entries, *gone.labels]:
                series.remove(*entry)
        return gone

    def _label(self, case: _Case, number: float) -> None:
        for series, *entry in case.labels:
            series.remove(*entry)
        case.label, case.labels = number, []
        for place, series, moment in case.slots:
            whole, part = self._label_parts(place, number)
            series.add(moment, whole, part)
            case.labels.append((series, moment, whole, part))

    def _label_parts(self, place: int, number: float) -> tuple[int, int]:
        known = self._parts_of.get((place, number))
        if known is None:
            one = Cases(np.zeros(1, dtype=np.int64), {}, {self.spec.target: np.array([number])})
            whole, part = split_number(feature_values(self.spec.features[place], one))
            known = int(whole[0]), int(part[0])
            if self.spec.positive is not None:  # two values only
                self._parts_of[place, number] = known
        return known

    def _prune(self) -> None:
        """Forget what no feature looks back to; half of the cases are newer than the moment that this counts from.

        So a case with a time in the far future makes no other one forgotten.
        """
        if len(self._cases) <= self._most:
            return
        now = median_low(case.time for case in self._cases.values())
        oldest = now - self.spec.longest_us
        self._cases = {id: case for id, case in self._cases.items() if case.time >= oldest}
        self._by_entity = {entity: id for entity, id in self._by_entity.items() if id in self._cases}
        self._seeded = defaultdict(list)
        for id, case in self._cases.items():
            if case.entity is None and id.startswith(_SEED):
                self._seeded[case.identity].append(id)
        for known, feature in zip(self._series, self.spec.features, strict=True):
            start = int(look_back(self.spec, feature, np.array([now]))[0][0])
            for key in list(known):
                known[key].forget_before(start)
                if not len(known[key]):
                    del known[key]
        self._most = max(_FEW, 2 * len(self._cases))


def _keys(feature: HistoryFeature, cases: Cases) -> list[Key]:
    texts: list[Texts] = [cases.key_texts(column) for column in feature.by]
    return list(zip(*texts, strict=True)) if texts else [()] * len(cases)
