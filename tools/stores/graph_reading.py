"""How the embedded graph store answers: a whole graph as columns for search, small pieces of it for people."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson

from tools.stores.graph_columns import Columns, Kind, graph_rows, numbers_column
from tools.stores.graph_protocol import (
    GAZETTEER,
    GraphEdge,
    GraphEntity,
    GraphEvidence,
    GraphMention,
    GraphRows,
    NameStanding,
    Neighbourhood,
)
from tools.stores.graph_rows import EntityRow, Walk, as_they_stand, entities_of, kept_names, picture, tallies
from tools.stores.graph_sql import (
    EVIDENCE,
    MENTION,
    Graph,
    Row,
    by_text,
    document_rows,
    mentions_of_pairs,
    numbers,
    numbers_of,
)

ROWS_AT_ONCE = 10_000
_ENTITY = "norm, name, type, type_confidence, df, others, target, renamed"
_OWN_NAMES = f"""
SELECT e.norm FROM graph_chunks c JOIN graph_entities e ON e.id = c.subject WHERE c.graph = ? AND c.document IN (?*)
UNION SELECT e.norm FROM graph_chunks c
  CROSS JOIN graph_mentions m ON m.graph = c.graph AND m.position = c.position AND m.extractor <> '{GAZETTEER}'
  CROSS JOIN graph_entities e ON e.id = m.entity WHERE c.graph = ? AND c.document IN (?*)
UNION SELECT e.norm FROM graph_chunks c
  CROSS JOIN graph_aliases a ON a.graph = c.graph AND a.position = c.position
  CROSS JOIN graph_entities e ON e.id IN (a.alias, a.of) WHERE c.graph = ? AND c.document IN (?*)
"""  # noqa: S608
_EVIDENCE_OF_PAIR = f"""
SELECT {EVIDENCE} FROM (
  SELECT v.id FROM json_each(?1) a CROSS JOIN json_each(?2) b
    CROSS JOIN graph_evidence v ON v.head = a.value AND v.tail = b.value
  UNION SELECT v.id FROM json_each(?1) a CROSS JOIN json_each(?2) b
    CROSS JOIN graph_evidence v ON v.head = b.value AND v.tail = a.value
) found CROSS JOIN graph_evidence v ON v.id = found.id
CROSS JOIN graph_entities h ON h.id = v.head CROSS JOIN graph_entities t ON t.id = v.tail
ORDER BY v.confidence DESC, v.position, v.sentence_start, v.sentence_end, h.norm, v.relation, t.norm,
  v.sentence, v.extractor
LIMIT ?3
"""  # noqa: S608
_KEPT = """
LEFT JOIN graph_entities k ON e.target <> '' AND k.graph = e.graph AND k.norm = e.target AND NOT k.renamed
"""
"""What an entity is merged with, if it is."""
_FIRST_MENTIONS = f"""
SELECT {MENTION} FROM (
  SELECT DISTINCT position FROM graph_mentions WHERE entity IN (SELECT value FROM json_each(?1))
  ORDER BY position LIMIT ?2
) p CROSS JOIN graph_mentions m ON m.position = p.position AND m.entity IN (SELECT value FROM json_each(?1))
CROSS JOIN graph_entities e ON e.id = m.entity
"""  # noqa: S608
_NEIGHBOURS = f"""
SELECT DISTINCT coalesce(k.norm, e.norm), coalesce(k.df, e.df) FROM (
  SELECT x.tail AS near FROM json_each(?1) f CROSS JOIN graph_edges x ON x.head = f.value
  UNION SELECT x.head FROM json_each(?1) f CROSS JOIN graph_edges x ON x.tail = f.value
  UNION SELECT m.entity FROM json_each(?1) f CROSS JOIN graph_chunks c ON c.subject = f.value
    CROSS JOIN graph_mentions m ON m.graph = c.graph AND m.position = c.position
  UNION SELECT c.subject FROM json_each(?1) f CROSS JOIN graph_mentions m ON m.entity = f.value
    CROSS JOIN graph_chunks c ON c.graph = m.graph AND c.position = m.position WHERE c.subject IS NOT NULL
) CROSS JOIN graph_entities e ON e.id = near {_KEPT}
WHERE near NOT IN (SELECT value FROM json_each(?2)) AND coalesce(k.id, near) NOT IN (SELECT value FROM json_each(?2))
ORDER BY 2 DESC, 1 LIMIT ?3
"""  # noqa: S608
_BEST_KNOWN = f"""
SELECT e.norm FROM graph_entities e {_KEPT} WHERE e.graph = ? AND k.id IS NULL ORDER BY e.df DESC, e.norm LIMIT ?
"""  # noqa: S608
_EDGES_AMONG = """
SELECT h.norm, x.relation, t.norm, x.confidence, x.evidence
FROM json_each(?1) f CROSS JOIN graph_edges x ON x.head = f.value
CROSS JOIN graph_entities h ON h.id = x.head CROSS JOIN graph_entities t ON t.id = x.tail
WHERE x.tail IN (SELECT value FROM json_each(?1))
"""
_TOGETHER = """
SELECT s.norm, e.norm, count(DISTINCT c.position)
FROM json_each(?1) f CROSS JOIN graph_chunks c ON c.subject = f.value
CROSS JOIN graph_mentions m ON m.graph = c.graph AND m.position = c.position
CROSS JOIN graph_entities s ON s.id = c.subject CROSS JOIN graph_entities e ON e.id = m.entity
WHERE m.entity IN (SELECT value FROM json_each(?1)) AND m.entity <> c.subject GROUP BY c.subject, m.entity
"""
_COMMUNITY_OF = """
SELECT e.norm, min(m.community) FROM json_each(?2) f CROSS JOIN graph_members m ON m.entity = f.value
CROSS JOIN graph_communities c ON c.graph = m.graph AND c.id = m.community AND c.level = 0
CROSS JOIN graph_entities e ON e.id = m.entity WHERE m.graph = ?1 GROUP BY e.id
"""
_CHUNK_COLUMNS = "SELECT position, coalesce(subject, 0), document FROM graph_chunks WHERE graph = ?"
_PAIR_BITS = 32
"""Chunk and entity travel in one number, which takes a third of the time; numbers of entities stay below."""
_MENTION_PAIRS = f"""
SELECT DISTINCT position << {_PAIR_BITS} | entity
FROM graph_mentions INDEXED BY graph_mentions_of_chunk WHERE graph = ?
"""  # noqa: S608
_EDGE_COLUMNS = "SELECT head, tail, relation, confidence FROM graph_edges WHERE graph = ?"
_COUNTS = """
SELECT (SELECT count(*) FROM graph_entities WHERE graph = ?1), (SELECT count(*) FROM graph_edges WHERE graph = ?1),
  (SELECT count(*) FROM graph_mentions WHERE graph = ?1),
  (SELECT count(DISTINCT community) FROM graph_members WHERE graph = ?1)
"""


def names_of(driver: Any, graph: int, document_ids: Sequence[str]) -> list[str]:
    """Norms that the documents' own rows name, in order."""
    return sorted({norm for (norm,) in by_text(driver, _OWN_NAMES, graph, document_ids)})


def standing(driver: Any, graph: int, norms: Sequence[str], without: Sequence[str]) -> dict[str, NameStanding]:
    """What all rows add up to for each name, less what the documents `without` add."""
    query = "SELECT norm, subjects, mentions, aliases FROM graph_entities WHERE graph = ? AND norm IN (?*)"
    less = tallies(document_rows(driver, graph, without)) if without else {}
    found: dict[str, NameStanding] = {}
    for norm, *totals in sorted(by_text(driver, query, graph, norms)):
        kinds = zip(("subjects", "mentions", "aliases"), totals, strict=True)
        left = [total - less.get(norm, {}).get(kind, 0) for kind, total in kinds]
        if any(left):
            found[norm] = NameStanding(left[0], left[1])
    return found


def known_names(driver: Any, graph: int) -> list[tuple[str, NameStanding]]:
    """All names that own rows speak of, in order."""
    query = """
    SELECT norm, subjects, mentions FROM graph_entities
    WHERE graph = ? AND (subjects OR mentions OR aliases) ORDER BY norm
    """
    return [(norm, NameStanding(subjects, mentions)) for norm, subjects, mentions in driver.execute(query, (graph,))]


def evidence(driver: Any, graph: int, pairs: Sequence[tuple[str, str]], limit: int) -> list[GraphEvidence]:
    """For each pair its surest rows, in the order of `graph_rows.surest_first`."""
    groups = _groups(driver, graph, dict.fromkeys(chain.from_iterable(pairs)))
    ids = numbers_of(driver, graph, chain.from_iterable(groups.values()))
    asked = [[numbers(ids[norm] for norm in groups[name] if norm in ids) for name in pair] for pair in pairs]
    return [GraphEvidence(*row) for pair in asked for row in driver.execute(_EVIDENCE_OF_PAIR, (*pair, limit))]


def mentions(driver: Any, graph: int, pairs: Sequence[tuple[str, int]]) -> list[GraphMention]:
    """The first mention for each pair that has one, in the order of the pairs."""
    ids = numbers_of(driver, graph, (norm for norm, _ in pairs))
    wanted = dict.fromkeys((position, ids[norm]) for norm, position in pairs if norm in ids)
    first: dict[tuple[str, int], GraphMention] = {}
    for row in sorted(mentions_of_pairs(driver, graph, wanted), key=as_they_stand):
        first.setdefault((row.norm, row.position), row)
    return [first[pair] for pair in pairs if pair in first]


def passages_of(driver: Any, graph: int, norm: str, limit: int) -> list[GraphMention]:
    """First mentions of the entity, or of what it is merged with, chunk by chunk."""
    group = _groups(driver, graph, [norm])[norm]
    ids = numbers(numbers_of(driver, graph, group).values())
    first: dict[int, GraphMention] = {}
    found = map(GraphMention._make, driver.execute(_FIRST_MENTIONS, (ids, limit)))
    for row in sorted(found, key=as_they_stand):
        first.setdefault(row.position, row)
    return list(first.values())


def find(driver: Any, graph: int, text: str, limit: int) -> list[GraphEntity]:
    """Entities one of whose names contains the text."""
    query = f"""
    SELECT coalesce(k.norm, e.norm) FROM graph_entities e {_KEPT} WHERE e.graph = ?1 AND instr(e.norm, ?2) > 0
    GROUP BY 1 ORDER BY min(instr(e.norm, ?2) > 1), coalesce(k.df, e.df) DESC, 1 LIMIT ?3
    """  # noqa: S608
    return _entities(driver, graph, [norm for (norm,) in driver.execute(query, (graph, text, limit))])


def neighbourhood(driver: Any, graph: Graph, norms: Sequence[str], hops: int, limit: int) -> Neighbourhood:
    """What is around the entities, or the best-known ones of the graph."""
    if norms:
        kept = _kept(driver, graph.id, norms)
        walk = Walk(_by_df(driver, graph.id, [kept.get(norm, norm) for norm in norms]), hops, limit)
    else:
        walk = Walk([norm for (norm,) in driver.execute(_BEST_KNOWN, (graph.id, limit + 1))], 0, limit)
    reached, complete = _walked(driver, graph.id, walk)
    groups = _groups(driver, graph.id, reached)
    ids = numbers(numbers_of(driver, graph.id, chain.from_iterable(groups.values())).values())
    own = numbers(numbers_of(driver, graph.id, reached).values())
    return picture(
        graph.version,
        _entities(driver, graph.id, reached),
        [GraphEdge(*row) for row in driver.execute(_EDGES_AMONG, (ids,))],
        driver.execute(_TOGETHER, (ids,)),
        dict(driver.execute(_COMMUNITY_OF, (graph.id, own))),
        complete,
        {other: norm for norm, group in groups.items() for other in group},
    )


def _walked(driver: Any, graph: int, walk: Walk) -> tuple[list[str], bool]:
    """Let the walk go where the edges lead, of whatever name."""
    seen: set[int] = set()
    while walk.wanted is not None:
        frontier, number = walk.wanted
        ids = numbers_of(driver, graph, chain.from_iterable(_groups(driver, graph, frontier).values())).values()
        seen |= set(ids)
        near = (numbers(ids), numbers(seen), number)
        walk.take([norm for norm, _ in driver.execute(_NEIGHBOURS, near).fetchall()])
    return walk.reached, walk.complete


def _kept(driver: Any, graph: int, norms: Iterable[str]) -> dict[str, str]:
    """For those of the names that are merged, what with."""
    return {one.norm: one.merged_into for one in _entities(driver, graph, norms) if one.merged_into}


def _groups(driver: Any, graph: int, norms: Iterable[str]) -> dict[str, list[str]]:
    """For each name all that are one with it: what it is merged with, and what is merged with that."""
    wanted = list(norms)
    merged = _kept(driver, graph, wanted)
    kept = {norm: merged.get(norm, norm) for norm in wanted}
    rows = _rows_around(driver, graph, list(dict.fromkeys(kept.values())))
    groups = {norm: [norm] for norm in kept.values()}
    for other, norm in kept_names(rows).items():
        if norm in groups:
            groups[norm].append(other)
    return {norm: groups[name] for norm, name in kept.items()}


def _by_df(driver: Any, graph: int, norms: Sequence[str]) -> list[str]:
    query = "SELECT -df, norm FROM graph_entities WHERE graph = ? AND norm IN (?*)"
    return [norm for _, norm in sorted(by_text(driver, query, graph, norms))]


def _entities(driver: Any, graph: int, norms: Iterable[str]) -> list[GraphEntity]:
    """The entities in the order of `norms`, with what they are merged with."""
    query = f"SELECT {_ENTITY} FROM graph_entities WHERE graph = ? AND norm IN (?*)"  # noqa: S608
    wanted = list(norms)
    rows = {row.norm: row for row in map(_entity_row, by_text(driver, query, graph, wanted))}
    around = _rows_around(driver, graph, [*rows, *(row.target for row in rows.values() if row.target)])
    known = {entity.norm: entity for entity in entities_of(rows.values(), around)}
    return [known[norm] for norm in wanted if norm in known]


def _rows_around(driver: Any, graph: int, norms: Sequence[str]) -> list[EntityRow]:
    """The names themselves where they have other names, and those that are other names of them."""
    query = f"""
    SELECT {_ENTITY} FROM graph_entities WHERE graph = ? AND norm IN (?*) AND renamed
    UNION ALL SELECT {_ENTITY} FROM graph_entities WHERE graph = ? AND target IN (?*) AND target <> ''
    """  # noqa: S608
    return list(map(_entity_row, by_text(driver, query, graph, norms)))


def _entity_row(row: Row) -> EntityRow:
    """A row of `_ENTITY`; most have no other spellings, and "" is as good as none."""
    found = EntityRow._make(row)
    return found._replace(others=orjson.loads(found.others)) if found.others else found  # type: ignore[arg-type]


def read(driver: Any, graph: Graph) -> GraphRows:
    """The whole graph; rows go straight into columns."""
    query = f"SELECT id, {_ENTITY} FROM graph_entities WHERE graph = ? ORDER BY norm"  # noqa: S608
    ids = array("q")
    renamed = f"SELECT {_ENTITY} FROM graph_entities WHERE graph = ? AND renamed"  # noqa: S608
    others = map(_entity_row, driver.execute(renamed, (graph.id,)))
    entities = entities_of(_noting(driver.execute(query, (graph.id,)), ids), others)
    titles = driver.execute("SELECT id FROM graph_documents WHERE graph = ?", (graph.id,))
    documents = [id_ for (id_,) in titles]
    chunks = _columns(driver.execute(_CHUNK_COLUMNS, (graph.id,)), "number", "number", "text")
    pairs = numbers_column(_batches(driver.execute(_MENTION_PAIRS, (graph.id,))))
    mentions = pairs >> _PAIR_BITS, pairs & ((1 << _PAIR_BITS) - 1)
    edges = _columns(driver.execute(_EDGE_COLUMNS, (graph.id,)), "number", "number", "text", "confidence")
    numbered = np.array(ids, dtype=np.int64)
    return graph_rows(graph.version, entities, numbered, documents, chunks, mentions, edges)


def _columns(cursor: Any, *kinds: Kind) -> Columns:
    columns = Columns(*kinds)
    for rows in _batches(cursor):
        columns.add(rows)
    return columns


def _batches(cursor: Any) -> Iterator[list[Row]]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield rows


def _noting(rows: Iterable[Row], ids: array[int]) -> Iterator[EntityRow]:
    for row in rows:
        ids.append(row[0])
        yield _entity_row(row[1:])


def counts(driver: Any, graph: int) -> dict[str, int]:
    """How many entities, edges, mentions and communities there are."""
    row = driver.execute(_COUNTS, (graph,)).fetchone()
    return dict(zip(("entities", "edges", "mentions", "communities"), row, strict=True))
