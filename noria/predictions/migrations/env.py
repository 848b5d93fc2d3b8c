"""Run by Alembic: migrates over the connection that `noria.predictions.migrate` hands in, in its transaction."""

from alembic import context

from noria.predictions.sql_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, though Alembic does not expect it to
)
with context.begin_transaction():
    context.run_migrations()
