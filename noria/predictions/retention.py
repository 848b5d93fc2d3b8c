"""Retention: erasing rows after the configured time."""

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from noria.predictions.records import EntityRecords

if TYPE_CHECKING:
    from noria.config.serving import PrivacyConfig
    from noria.predictions.store import PredictionStore

_BATCH = 1000
_PAUSE_S = 0.05
"""Pause between two batches, so that other writers proceed."""


def retain(store: "PredictionStore", privacy: "PrivacyConfig", now: datetime) -> EntityRecords:
    """Erase what is older than `privacy.keep_days` at `now` (with a zone); returns how many rows that were.

    It uses small transactions and continues where it was interrupted.

    Raises:
        NoriaError: the store fails.
    """
    total = EntityRecords()
    if privacy.keep_days is None:
        return total
    moment = now - timedelta(days=privacy.keep_days)
    while True:
        erased = store.erase_before(moment, limit=_BATCH)
        total += erased
        if not erased:
            break
        time.sleep(_PAUSE_S)
    if total:
        store.compact()
    return total
