"""How the embedded graph store changes a graph: rows, then what they touch, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from tools.errors import Conflict
from tools.stores.graph_change import (
    Difference,
    difference,
    documents_of,
    gained_elsewhere,
    without_chunks,
)
from tools.stores.graph_protocol import GAZETTEER, Community, GraphChange
from tools.stores.graph_rows import EVIDENCE_COUNTED, Rows, Tally, combined, entity_row, noisy_or, written
from tools.stores.graph_sql import (
    Row,
    add_chunks,
    by_text,
    communities,
    document_rows,
    encoded_sentences,
    graph_of,
    mentions_of_pairs,
    numbers,
    numbers_of,
)

Ids = Mapping[str, int]
_LOST = f"""
SELECT e.norm, m.position FROM graph_entities e
CROSS JOIN graph_mentions m ON m.entity = e.id AND m.extractor = '{GAZETTEER}' WHERE e.graph = ? AND e.norm IN (?*)
"""  # noqa: S608
_NEW_ENTITY = """
INSERT INTO graph_entities (name, type, type_confidence, df, others, target, renamed, subjects, mentions, aliases,
  tally, id, graph, norm) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_CHANGED_ENTITY = """
UPDATE graph_entities SET name = ?, type = ?, type_confidence = ?, df = ?, others = ?, target = ?, renamed = ?,
  subjects = ?, mentions = ?, aliases = ?, tally = ? WHERE id = ?
"""
_NEW_MENTION = """
INSERT INTO graph_mentions
(graph, position, entity, name, type, confidence, start, "end", sentence_start, sentence_end, extractor)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_OLD_MENTION = """
DELETE FROM graph_mentions WHERE graph = ? AND position = ? AND entity = ? AND name = ? AND type = ?
AND confidence = ? AND start = ? AND "end" = ? AND sentence_start = ? AND sentence_end = ? AND extractor = ?
"""
_NEW_EVIDENCE = """
INSERT INTO graph_evidence
(graph, position, head, relation, tail, confidence, sentence, sentence_start, sentence_end, extractor)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_OLD_EVIDENCE = """
DELETE FROM graph_evidence WHERE graph = ? AND position = ? AND head = ? AND relation = ? AND tail = ?
AND confidence = ? AND sentence = ? AND sentence_start = ? AND sentence_end = ? AND extractor = ?
"""
_NEW_ALIAS = 'INSERT INTO graph_aliases (graph, position, alias, "of", extractor) VALUES (?, ?, ?, ?, ?)'
_OLD_ALIAS = 'DELETE FROM graph_aliases WHERE graph = ? AND position = ? AND alias = ? AND "of" = ? AND extractor = ?'
_CHUNK = "INSERT OR REPLACE INTO graph_chunks VALUES (?, ?, ?, ?, ?, ?, ?)"
_SUREST = f"""
SELECT confidence FROM graph_evidence WHERE head = ? AND tail = ? AND relation = ?
ORDER BY confidence DESC LIMIT {EVIDENCE_COUNTED}
"""  # noqa: S608
_EDGE = (
    "INSERT OR REPLACE INTO graph_edges (head, tail, relation, graph, confidence, evidence) VALUES (?, ?, ?, ?, ?, ?)"
)
_OF_GRAPH = (
    "graph_documents",
    "graph_chunks",
    "graph_entities",
    "graph_mentions",
    "graph_evidence",
    "graph_edges",
    "graph_aliases",
    "graph_communities",
    "graph_members",
)


def apply(driver: Any, tenant_id: str, dataset_id: str, change: GraphChange, after: Rows) -> int:
    """Make the change, whose documents' rows are `after`; gives the new version. Raises Conflict."""
    graph = _at_version(driver, tenant_id, dataset_id, change.base_version)
    before = document_rows(driver, graph, documents_of(change))
    what = difference(change, before, after, _elsewhere(driver, graph, change, before, after))
    ids, dead = _write_names(driver, graph, what)
    _remove_rows(driver, graph, what, ids)
    _add_rows(driver, graph, what, ids)
    _write_edges(driver, graph, what, ids)
    _forget(driver, graph, dead, what.gone)
    query = "UPDATE graphs SET version = version + 1 WHERE id = ? RETURNING version"
    return driver.execute(query, (graph,)).fetchone()[0]


def _at_version(driver: Any, tenant_id: str, dataset_id: str, version: int) -> int:
    """The graph's number, made where it is new. Raises Conflict."""
    graph = graph_of(driver, tenant_id, dataset_id)
    if graph.version != version:
        raise Conflict("The graph has changed meanwhile.", code="graph_changed")
    if graph.id:
        return graph.id
    query = "INSERT INTO graphs (tenant_id, dataset_id, version) VALUES (?, ?, 0) RETURNING id"
    return driver.execute(query, (tenant_id, dataset_id)).fetchone()[0]


def _elsewhere(driver: Any, graph: int, change: GraphChange, before: Rows, after: Rows) -> Rows:
    """Rows of lost and gained names in chunks of documents that the change leaves alone."""
    touched = before.owners.keys() | after.owners.keys()
    pairs = {(norm, position) for norm, position in by_text(driver, _LOST, graph, change.lost)}
    pairs |= {(mention.norm, mention.position) for mention in gained_elsewhere(change, before, after)}
    pairs = {pair for pair in pairs if pair[1] not in touched}
    rows = Rows()
    if not pairs:
        return rows
    ids = numbers_of(driver, graph, (norm for norm, _ in pairs))
    known = [(position, ids[norm]) for norm, position in pairs if norm in ids]
    rows.mentions = set(mentions_of_pairs(driver, graph, known))
    add_chunks(rows, driver, graph, numbers({position for _, position in pairs}))
    rows.chunks = {at: chunk for at, chunk in rows.chunks.items() if (chunk.subject, at) in pairs}
    return rows


def _write_names(driver: Any, graph: int, what: Difference) -> tuple[dict[str, int], list[int]]:
    """Bring the names that the change touches up to date; gives their numbers, and those that nothing names now."""
    query = "SELECT norm, id, tally FROM graph_entities WHERE graph = ? AND norm IN (?*)"
    known = {norm: (id_, tally) for norm, id_, tally in by_text(driver, query, graph, what.names)}
    ids = {norm: id_ for norm, (id_, _) in known.items()}
    next_id = (driver.execute("SELECT max(id) FROM graph_entities").fetchone()[0] or 0) + 1
    new: list[Row] = []
    changed: list[Row] = []
    dead: list[int] = []
    for norm, delta in what.tallies.items():
        if norm not in known:
            ids[norm] = next_id
            new.append((*_columns(norm, delta), next_id, graph, norm))
            next_id += 1
        elif total := combined(orjson.loads(known[norm][1]), delta):
            changed.append((*_columns(norm, total), ids[norm]))
        else:
            dead.append(ids[norm])
    driver.executemany(_NEW_ENTITY, new)
    driver.executemany(_CHANGED_ENTITY, changed)
    return ids, dead


def _columns(norm: str, tally: Tally) -> Row:
    row = entity_row(norm, tally)
    return (
        row.name,
        row.type,
        row.type_confidence,
        row.df,
        orjson.dumps(row.others).decode() if row.others else "",
        row.target,
        row.renamed,
        tally.get("subjects", 0),
        tally.get("mentions", 0),
        tally.get("aliases", 0),
        written(tally),
    )


def _remove_rows(driver: Any, graph: int, what: Difference, ids: Ids) -> None:
    rows = what.removed
    if what.gone:
        gone = graph, numbers(what.gone)
        for table in ("graph_chunks", "graph_mentions", "graph_evidence", "graph_aliases"):
            query = f"DELETE FROM {table} WHERE graph = ? AND position IN (SELECT value FROM json_each(?))"  # noqa: S608
            driver.execute(query, gone)
    driver.executemany(_OLD_MENTION, _left(_mention_rows(graph, rows, ids), what.gone))
    driver.executemany(_OLD_EVIDENCE, _left(_evidence_rows(graph, rows, ids), what.gone))
    driver.executemany(_OLD_ALIAS, _left(_alias_rows(graph, rows, ids), what.gone))
    titles = [(graph, id_) for id_ in rows.documents]
    driver.executemany("DELETE FROM graph_documents WHERE graph = ? AND id = ?", titles)


def _add_rows(driver: Any, graph: int, what: Difference, ids: Ids) -> None:
    rows = what.added
    titles = [(graph, id_, title) for id_, title in rows.documents.items()]
    driver.executemany("INSERT INTO graph_documents (graph, id, title) VALUES (?, ?, ?)", titles)
    chunks = (
        (graph, at, rows.owners[at], ids[chunk.subject] if chunk.subject else None, *chunk[2:])
        for at, chunk in rows.chunks.items()
    )
    driver.executemany(_CHUNK, chunks)
    driver.executemany(_NEW_MENTION, sorted(_mention_rows(graph, rows, ids)))
    driver.executemany(_NEW_EVIDENCE, sorted(_evidence_rows(graph, rows, ids)))
    driver.executemany(_NEW_ALIAS, sorted(_alias_rows(graph, rows, ids)))


def _mention_rows(graph: int, rows: Rows, ids: Ids) -> Iterable[Row]:
    return ((graph, row.position, ids[row.norm], *row[2:]) for row in rows.mentions)


def _evidence_rows(graph: int, rows: Rows, ids: Ids) -> Iterable[Row]:
    return ((graph, row.position, ids[row.head], row.relation, ids[row.tail], *row[4:]) for row in rows.evidence)


def _alias_rows(graph: int, rows: Rows, ids: Ids) -> Iterable[Row]:
    return ((graph, row.position, ids[row.alias], ids[row.of], row.extractor) for row in rows.aliases)


def _left(rows: Iterable[Row], gone: set[int]) -> Iterable[Row]:
    """Rows of chunks that stay; those of the others are gone with them."""
    return (row for row in rows if row[1] not in gone)


def _write_edges(driver: Any, graph: int, what: Difference, ids: Ids) -> None:
    """Put together anew the edges whose evidence changed."""
    kept: list[Row] = []
    gone: list[Row] = []
    for triple in what.touched_edges:
        key = ids[triple[0]], ids[triple[2]], triple[1]
        query = "SELECT evidence FROM graph_edges WHERE head = ? AND tail = ? AND relation = ?"
        row = driver.execute(query, key).fetchone()
        if number := (row[0] if row else 0) + what.edges.get(triple, 0):
            surest = [confidence for (confidence,) in driver.execute(_SUREST, key)]
            kept.append((*key, graph, noisy_or(surest), number))
        else:
            gone.append(key)
    driver.executemany(_EDGE, kept)
    driver.executemany("DELETE FROM graph_edges WHERE head = ? AND tail = ? AND relation = ?", gone)


def _forget(driver: Any, graph: int, dead: Sequence[int], gone: set[int]) -> None:
    """Take names and chunks that are gone out of the communities, and a summary that rests on such a chunk."""
    if dead:
        ids = numbers(dead)
        driver.execute("DELETE FROM graph_members WHERE entity IN (SELECT value FROM json_each(?))", (ids,))
        driver.execute("DELETE FROM graph_entities WHERE id IN (SELECT value FROM json_each(?))", (ids,))
        driver.execute(
            "DELETE FROM graph_communities WHERE graph = ?1 AND id NOT IN "
            "(SELECT community FROM graph_members WHERE graph = ?1)",
            (graph,),
        )
    if gone:
        query = "UPDATE graph_communities SET sentences = ?, summary = ?, rests_on = ? WHERE graph = ? AND id = ?"
        changed = without_chunks(communities(driver, graph), gone)
        driver.executemany(query, [(*_content(community), graph, community.id) for community in changed])


def _content(community: Community) -> tuple[str, str, str]:
    return encoded_sentences(community.sentences), community.summary, numbers(community.rests_on)


def keep_communities(driver: Any, graph: int, new: Sequence[Community]) -> None:
    """Replace the communities."""
    for table in ("graph_communities", "graph_members"):
        driver.execute(f"DELETE FROM {table} WHERE graph = ?", (graph,))  # noqa: S608
    ids = numbers_of(driver, graph, (norm for community in new for norm in community.members))
    members = [
        (graph, community.id, ids[norm], place)
        for community in new
        for place, norm in enumerate(dict.fromkeys(community.members))
        if norm in ids
    ]
    driver.executemany("INSERT INTO graph_members (graph, community, entity, place) VALUES (?, ?, ?, ?)", members)
    rows = [(graph, one.id, one.level, one.parent, *_content(one)) for one in new]
    query = "INSERT INTO graph_communities (graph, id, level, parent, sentences, summary, rests_on) "
    driver.executemany(query + "VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def drop(driver: Any, graph: int) -> None:
    """Delete every row of the graph."""
    for table in _OF_GRAPH:
        driver.execute(f"DELETE FROM {table} WHERE graph = ?", (graph,))  # noqa: S608
    driver.execute("DELETE FROM graphs WHERE id = ?", (graph,))
