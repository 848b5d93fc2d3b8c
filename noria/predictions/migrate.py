"""Migration of a store's tables to the newest revision."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from noria.system.errors import NoriaError

HEAD = "0006"
"""The newest revision in `migrations/versions`."""
_FIRST = "0001"
_SCRIPTS = Path(__file__).with_name("migrations")


def upgrade(connection: Connection) -> None:
    """Upgrade within the transaction of `connection`, completely or not at all.

    The caller holds the write lock, so that processes that start together migrate one after the other. Tables from
    before revisions were recorded count as the first revision.

    Raises:
        NoriaError: the tables are newer than this code.
    """
    at = _revision(connection)
    if at == HEAD:
        return
    from alembic import command  # only when needed: importing it takes longer than a request
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if at is not None and at not in known:
        raise NoriaError(
            f"the prediction store was written by a newer Noria: its tables are at revision {at}, not {HEAD}",
            code="predictions.store_newer",
            fix="use that version of Noria, or another store",
        )
    if at is None and inspect(connection).has_table("predictions"):
        command.stamp(config, _FIRST)
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
