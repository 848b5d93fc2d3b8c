"""Every change of traffic or of a policy is an event in the prediction store."""

import getpass
from datetime import UTC, datetime

from noria import progress
from noria.errors import NoriaError
from noria.handover import Activation
from noria.predictions import PredictionStore
from noria.spool.entries import Happened
from noria.traffic.orders import in_words


def record_change(url: str, kind: str, before: Activation, after: Activation, what: str) -> None:
    """Keep who changed what and when; the change stands even if the store cannot keep it now.

    Args:
        url: SQLAlchemy URL of the prediction store.
        kind: `traffic` or `policy`.
        before: the order that stood.
        after: the order that stands.
        what: the change in words.
    """
    event = Happened(
        key=f"{kind}-{after.serial}",
        at=datetime.now(UTC).timestamp(),
        kind=kind,
        variant=after.champion.name,
        version=after.champion.version,
        detail=f"{what} by {_who()}: {in_words(after)}; before: {in_words(before)}",
    )
    try:
        store = PredictionStore(url)
        try:
            store.keep([event])
        finally:
            store.close()
    except NoriaError as error:
        progress.warn(f"the change is not in the prediction store's events: {error.what}")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in many containers
        return "somebody"
