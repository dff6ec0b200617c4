"""The embedded graph store's rows as the driver gives them: what both its readers and its writer ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from tools.stores.graph_protocol import Community, GraphAlias, GraphChunk, GraphEvidence, GraphMention, Sentence
from tools.stores.graph_rows import Rows

Row = tuple[Any, ...]
TEXTS_AT_ONCE = 500
"""Texts in one IN list; JSON arrays, which hold numbers here, would cut a text at a NUL."""
MENTION = (
    "m.position, e.norm, m.name, m.type, m.confidence, m.start, m.end, m.sentence_start, m.sentence_end, m.extractor"
)
EVIDENCE = (
    "v.position, h.norm, v.relation, t.norm, v.confidence, v.sentence, v.sentence_start, v.sentence_end, v.extractor"
)
_CHUNKS = """
SELECT c.position, coalesce(e.norm, ''), c.subject_name, c.subject_type, c.subject_confidence, c.document
FROM json_each(?2) p CROSS JOIN graph_chunks c ON c.graph = ?1 AND c.position = p.value
LEFT JOIN graph_entities e ON e.id = c.subject
"""
_MENTIONS = f"""
SELECT {MENTION} FROM json_each(?2) p CROSS JOIN graph_mentions m ON m.graph = ?1 AND m.position = p.value
CROSS JOIN graph_entities e ON e.id = m.entity
"""  # noqa: S608
_MENTIONS_OF_PAIRS = f"""
SELECT {MENTION} FROM json_each(?2) p CROSS JOIN graph_mentions m
  ON m.graph = ?1 AND m.position = json_extract(p.value, '$[0]') AND m.entity = json_extract(p.value, '$[1]')
CROSS JOIN graph_entities e ON e.id = m.entity
"""  # noqa: S608
_EVIDENCE = f"""
SELECT {EVIDENCE} FROM json_each(?2) p CROSS JOIN graph_evidence v ON v.graph = ?1 AND v.position = p.value
CROSS JOIN graph_entities h ON h.id = v.head CROSS JOIN graph_entities t ON t.id = v.tail
"""  # noqa: S608
_ALIASES = """
SELECT x.position, a.norm, o.norm, x.extractor
FROM json_each(?2) p CROSS JOIN graph_aliases x ON x.graph = ?1 AND x.position = p.value
CROSS JOIN graph_entities a ON a.id = x.alias CROSS JOIN graph_entities o ON o.id = x.of
"""
_COMMUNITIES = """
SELECT id, level, parent, sentences, summary, rests_on FROM graph_communities WHERE graph = ? ORDER BY level, id
"""
_MEMBERS = """
SELECT m.community, e.norm FROM graph_members m CROSS JOIN graph_entities e ON e.id = m.entity
WHERE m.graph = ? ORDER BY m.community, m.place
"""


class Graph(NamedTuple):
    """A graph's number in all tables, and its version."""

    id: int
    version: int


def driver_of(connection: Connection) -> Any:
    """The driver's own connection: SQLAlchemy takes several times as long for small statements."""
    return connection.connection.dbapi_connection


def graph_of(driver: Any, tenant_id: str, dataset_id: str) -> Graph:
    """The data set's graph; number 0, which has no rows, where there is none."""
    query = "SELECT id, version FROM graphs WHERE tenant_id = ? AND dataset_id = ?"
    row = driver.execute(query, (tenant_id, dataset_id)).fetchone()
    return Graph(*row) if row else Graph(0, 0)


def by_text(driver: Any, query: str, graph: int, texts: Iterable[str]) -> Iterator[Row]:
    """Rows of a query in which each `?*` stands for the texts, behind a `?` for the graph; some hundreds at once."""
    wanted = list(dict.fromkeys(texts))
    times = query.count("?*")
    query = query.replace("?*", ", ".join("?" * TEXTS_AT_ONCE))
    for start in range(0, len(wanted), TEXTS_AT_ONCE):
        part = wanted[start : start + TEXTS_AT_ONCE]
        part += part[-1:] * (TEXTS_AT_ONCE - len(part))
        yield from driver.execute(query, (graph, *part) * times)


def numbers(values: Iterable[Any]) -> str:
    """Numbers, or lists of them, as `json_each` takes them."""
    return orjson.dumps(list(values)).decode()


def numbers_of(driver: Any, graph: int, norms: Iterable[str]) -> dict[str, int]:
    """The entities' numbers; names that are no entity are left out."""
    query = "SELECT norm, id FROM graph_entities WHERE graph = ? AND norm IN (?*)"
    return dict(by_text(driver, query, graph, norms))


def document_rows(driver: Any, graph: int, document_ids: Sequence[str]) -> Rows:
    """All rows that rest on the documents."""
    query = "SELECT id, title FROM graph_documents WHERE graph = ? AND id IN (?*)"
    rows = Rows(documents=dict(by_text(driver, query, graph, document_ids)))
    if rows.documents:
        query = "SELECT position FROM graph_chunks WHERE graph = ? AND document IN (?*)"
        at = graph, numbers(position for (position,) in by_text(driver, query, graph, rows.documents))
        add_chunks(rows, driver, *at)
        rows.mentions = set(map(GraphMention._make, driver.execute(_MENTIONS, at)))
        rows.evidence = set(map(GraphEvidence._make, driver.execute(_EVIDENCE, at)))
        rows.aliases = set(map(GraphAlias._make, driver.execute(_ALIASES, at)))
    return rows


def add_chunks(rows: Rows, driver: Any, graph: int, positions: str) -> None:
    """Put those chunks of a JSON list of positions that are there into `rows`."""
    for row in driver.execute(_CHUNKS, (graph, positions)):
        rows.chunks[row[0]] = GraphChunk(*row[:5])
        rows.owners[row[0]] = row[5]


def mentions_of_pairs(driver: Any, graph: int, pairs: Iterable[tuple[int, int]]) -> Iterator[GraphMention]:
    """All mentions in (chunk, entity's number) pairs."""
    return map(GraphMention._make, driver.execute(_MENTIONS_OF_PAIRS, (graph, numbers(pairs))))


def communities(driver: Any, graph: int) -> list[Community]:
    """The communities by level and id, members in the order they were given."""
    members: dict[str, list[str]] = {}
    for community, norm in driver.execute(_MEMBERS, (graph,)):
        members.setdefault(community, []).append(norm)
    return [
        Community(id_, level, parent, members[id_], decoded_sentences(sentences), summary, orjson.loads(rests_on))
        for id_, level, parent, sentences, summary, rests_on in driver.execute(_COMMUNITIES, (graph,))
        if id_ in members
    ]


def encoded_sentences(sentences: Iterable[Sentence]) -> str:
    """Sentences as both backends keep them."""
    return numbers((sentence.position, sentence.start, sentence.end) for sentence in sentences)


def decoded_sentences(text: str) -> list[Sentence]:
    """The sentences that `encoded_sentences` wrote."""
    return [Sentence(*numbers) for numbers in orjson.loads(text)]
