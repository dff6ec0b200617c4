"""Where graphs are kept, by the settings."""

from __future__ import annotations

from tools.errors import NotAvailable
from tools.stores.database import Database
from tools.stores.graph import SqlGraphStore
from tools.stores.graph_protocol import GraphStore
from tools.stores.settings import Neo4jSettings


def open_graph_store(settings: Neo4jSettings, database: Database) -> GraphStore:
    """Neo4j where an address is set, connected to on first use; else the embedded store, in the records' own file.

    Raises:
        NotAvailable: Neo4j is asked for and its driver is not installed.
    """
    if settings.neo4j_uri is None:
        return SqlGraphStore(database)
    try:
        from tools.stores.neo4j_graph import Neo4jGraphStore
    except ModuleNotFoundError as error:
        if error.name != "neo4j":
            raise
        raise NotAvailable("NEO4J_URI needs Neo4j's driver: pip install 'zhiyin[server]'.") from error

    return Neo4jGraphStore(
        settings.neo4j_uri,
        settings.neo4j_user,
        settings.neo4j_password,
        settings.neo4j_database,
        settings.neo4j_timeout_seconds,
    )
