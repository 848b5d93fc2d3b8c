"""Keeping the earlier cases of history features up to date with the prediction store.

A worker counts the cases and labels that it has answered at once. Those of other workers and servers, and all of the
time before it started, come from the store.
"""

from typing import TYPE_CHECKING

from noria.history import HistoryState
from service.prediction.loaded_models import LoadedModels

if TYPE_CHECKING:
    from noria.predictions import PredictionStore
    from noria.predictions.case_stream import CaseStream, StoredCase


class HistoryRefresh:
    """The position up to which each history has read the store."""

    def __init__(self) -> None:
        self._streams: dict[HistoryState, CaseStream] = {}

    def refresh(self, active: LoadedModels, store: "PredictionStore") -> None:
        """Read what is new; for a model that was not there before, all that its features look back to.

        Raises:
            NoriaError: the store cannot be read.
        """
        self._streams = {state: stream for state, stream in self._streams.items() if state in active.histories}
        for state in active.histories:
            stream = self._streams.get(state)
            if stream is None:
                stream = store.case_stream(active.champion.manifest.name)
                _begin(state, stream)
                self._streams[state] = stream
            for page in stream.new_cases():
                _take(state, page)
            for labels in stream.new_labels():
                for each in labels:
                    _label(state, each.id, each.label)


def _begin(state: HistoryState, stream: "CaseStream") -> None:
    """The store's cases, until a page holds none that may still count."""
    for page in stream.newest_first():
        if not _take(state, page):
            return


def _take(state: HistoryState, page: "list[StoredCase]") -> bool:
    """Let stored cases count; does one of them still do so?"""
    names = state.spec.inputs
    rows = [each for each in page if each.features.keys() >= {*names}]
    values = [tuple(each.features[name] for name in names) for each in rows]
    state.add_rows(names, values, [each.id for each in rows], [each.entity for each in rows])
    for each in rows:
        _label(state, each.id, each.label)
    return not rows or any(each.id in state for each in rows)


def _label(state: HistoryState, id: str, label: object) -> None:
    if isinstance(label, str | int | float) and not isinstance(label, bool):
        state.label(label, id=id)
