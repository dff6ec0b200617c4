"""What holds for every query to Neo4j, told from its text alone."""

from __future__ import annotations

import re

import pytest

from tools.stores import neo4j_graph_changes, neo4j_graph_queries

QUERIES = {
    f"{name} {place}": query
    for module in (neo4j_graph_queries, neo4j_graph_changes)
    for name, value in vars(module).items()
    if name.isupper() and name not in ("OF", "SCHEMA", "READS", "OF_ROWS")
    for place, query in enumerate(value if isinstance(value, tuple) else [value])
    if re.search(r"\b(MATCH|MERGE|CREATE)\b", query)
}


def test_there_are_queries_to_look_at() -> None:
    assert len(QUERIES) > 50


@pytest.mark.parametrize("name", QUERIES)
def test_tenant_and_data_set_are_in_every_match(name: str) -> None:
    for clause in re.split(r"\b(?:OPTIONAL MATCH|MATCH|MERGE)\b", QUERIES[name])[1:]:
        pattern = re.split(r"\b(?:WHERE|RETURN|SET|WITH|CREATE|DELETE|DETACH|UNWIND|ON)\b", clause)[0]
        assert "tenant: $tenant, dataset: $dataset" in pattern, pattern


@pytest.mark.parametrize("name", QUERIES)
def test_nodes_that_are_looked_for_or_made_are_of_the_tenant(name: str) -> None:
    for label, inside in re.findall(r"\(\w*:(\w+)([^)]*)\)", QUERIES[name]):
        assert "tenant: $tenant" in inside, label


@pytest.mark.parametrize("name", QUERIES)
def test_values_come_as_parameters(name: str) -> None:
    literals = set(re.findall(r"'[^']*'|\"[^\"]*\"", QUERIES[name]))
    assert literals <= {"''"}
