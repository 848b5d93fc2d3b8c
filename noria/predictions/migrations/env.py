"""Run by Alembic: migrates over the connection of `noria.predictions.migrate`, in its transaction."""

from alembic import context

from noria.predictions.sql_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite supports it, although Alembic assumes otherwise
)
with context.begin_transaction():
    context.run_migrations()
