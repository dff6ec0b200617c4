"""Runs the migration scripts for `tools.stores.migrate`, and for whoever writes a new one.

A new script: change `tools/stores/schema.py`; on a database of the schema before,
`alembic -x database=var/zhiyin.db revision --autogenerate --rev-id 0002 -m "What it does"`; read what it
wrote, and set `REVISION`. The tests hold the scripts against the schema.
"""

from alembic import context
from sqlalchemy import URL, Connection, NullPool, create_engine

from tools.stores import graph_schema  # noqa: F401 its tables join `metadata`
from tools.stores.schema import metadata


def run(connection: Connection) -> None:
    # SQLite changes most columns only by copying the table, which is what batches do.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    database = context.get_x_argument(as_dictionary=True)["database"]
    with create_engine(URL.create("sqlite", database=database), poolclass=NullPool).connect() as connection:
        run(connection)
