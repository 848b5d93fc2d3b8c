"""The audit trail: every change of traffic or of a policy is an event in the prediction store."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from noria.config.serving import SpoolConfig
from noria.predictions import PredictionStore
from noria.predictions.database import connect, reading
from noria.predictions.spool.events import AuditEvent
from noria.predictions.spool.writer import SpoolWriter
from noria.predictions.sql_tables import events
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from noria.traffic.plan_transforms import describe_plan

if TYPE_CHECKING:
    from noria.deployment import PlanChange

_KINDS = ("traffic", "policy", "canary")


def record_change(changed: "PlanChange", kind: str, what: str) -> None:
    """Record who changed what and when; if the store is unavailable, the event goes to the spool.

    Args:
        changed: the change.
        kind: `traffic`, `policy` or `canary`.
        what: a description of the change.
    """
    after = changed.after
    event = AuditEvent(
        key=f"{kind}-{after.plan_id}",
        at=datetime.now(UTC).timestamp(),
        kind=kind,
        variant=after.champion.name,
        version=after.champion.version,
        detail=f"{what} by {_current_user()}: {describe_plan(after)}; before: {describe_plan(changed.before)}",
    )
    try:
        store = PredictionStore(Workspace(changed.deployment.use_case).predictions_url)
        try:
            store.ingest([event])
        finally:
            store.close()
    except NoriaError as error:
        progress.warn(f"{error.what}; the audit event of this change waits in the spool")
        _write_to_spool(changed.deployment.settings.spool, event)


def recent_changes(url: str, limit: int = 5) -> list[str]:
    """Descriptions of the latest changes, the newest first.

    Raises:
        NoriaError: the store cannot be read.
    """
    engine = connect(url)
    try:
        with reading(engine) as connection:
            chosen = select(events.c.at, events.c.detail).where(events.c.kind.in_(_KINDS))
            rows = connection.execute(chosen.order_by(events.c.seq.desc()).limit(limit)).all()
    finally:
        engine.dispose()
    return [f"{row.at:%Y-%m-%d %H:%M} UTC: {row.detail}" for row in rows]


def _write_to_spool(folder: Path, event: AuditEvent) -> None:
    writer = SpoolWriter(folder, SpoolConfig(durability="strict"))
    try:
        writer.append(event)
    finally:
        writer.close()


def _current_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in many containers
        return "unknown user"
