"""Where the graph server is, and which graph store that makes."""

from __future__ import annotations

import sys

import pytest
from pydantic import SecretStr, ValidationError

from tools.errors import NotAvailable
from tools.stores.database import Database
from tools.stores.graph import SqlGraphStore
from tools.stores.open_graph import open_graph_store
from tools.stores.settings import Neo4jSettings


@pytest.mark.parametrize("name", ["NEO4J_USER", "NEO4J_USERNAME"])
def test_the_user_goes_by_either_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "ann")
    assert Neo4jSettings().neo4j_user == "ann"


@pytest.mark.parametrize(
    "uri", ["bolt://127.0.0.1:7687", "neo4j+s://graph.example.org", "neo4j://[::1]:7687", "bolt://h"]
)
def test_addresses_are_taken_as_the_driver_takes_them(uri: str) -> None:
    assert Neo4jSettings(neo4j_uri=f" {uri}").neo4j_uri == uri


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:7474", "127.0.0.1:7687", "bolt://", "bolt://u:secret@h:1", "bolt://h:x", "bolt://h/db"]
)
def test_what_is_no_address_is_refused_without_being_repeated(uri: str) -> None:
    with pytest.raises(ValidationError, match="must") as caught:
        Neo4jSettings(neo4j_uri=uri)
    assert "secret" not in caught.value.errors(include_input=False, include_url=False)[0]["msg"]


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_is_unset(blank: str) -> None:
    settings = Neo4jSettings(neo4j_uri=blank, neo4j_password=blank, neo4j_database=blank)  # type: ignore[arg-type]
    assert (settings.neo4j_uri, settings.neo4j_password, settings.neo4j_database) == (None, None, None)


def test_without_an_address_graphs_are_kept_in_the_records_file(database: Database) -> None:
    assert isinstance(open_graph_store(Neo4jSettings(), database), SqlGraphStore)


def test_an_address_makes_it_neo4j_which_is_reached_on_first_use(database: Database) -> None:
    settings = Neo4jSettings(neo4j_uri="bolt://127.0.0.1:1", neo4j_password=SecretStr("s3cr3t"))
    store = open_graph_store(settings, database)
    assert type(store).__name__ == "Neo4jGraphStore"
    assert "s3cr3t" not in repr(vars(store)) + repr(settings)


def test_a_missing_driver_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("tools.stores.neo4j_graph")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "neo4j", None)
    with pytest.raises(NotAvailable, match=r"zhiyin\[server\]"):
        open_graph_store(Neo4jSettings(neo4j_uri="bolt://127.0.0.1:1"), database)
