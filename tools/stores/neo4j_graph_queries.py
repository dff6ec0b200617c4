"""The Cypher of the Neo4j graph store: parameters only, tenant and data set on every node that is looked for.

(:Document)-[:HAS_CHUNK]->(:Chunk)-[:NEXT]->(:Chunk), (:Chunk)-[:ABOUT|MENTIONS]->(:Entity)-[:REL]->(:Entity),
(:Chunk)-[:SAYS]->(:Evidence|:Alias), (:Entity)-[:IN_COMMUNITY]->(:Community), and a (:Graph) with the version.
`number` names an entity within its graph; an entity is found by `key`, which is its norm or, where that is too
long for an index, stands for it.
"""

from __future__ import annotations

OF = "tenant: $tenant, dataset: $dataset"

SCHEMA = {
    "zhiyin_graph": "CREATE CONSTRAINT {} IF NOT EXISTS FOR (n:Graph) REQUIRE (n.tenant, n.dataset) IS UNIQUE",
    **{
        f"zhiyin_{label.lower()}_{key}": "CREATE CONSTRAINT {} IF NOT EXISTS "
        f"FOR (n:{label}) REQUIRE (n.tenant, n.dataset, n.{key}) IS UNIQUE"
        for label, key in (
            ("Document", "id"),
            ("Chunk", "position"),
            ("Entity", "key"),
            ("Entity", "number"),
            ("Community", "id"),
        )
    },
    "zhiyin_entity_target": "CREATE INDEX {} IF NOT EXISTS FOR (n:Entity) ON (n.tenant, n.dataset, n.target_key)",
    "zhiyin_evidence_edge": "CREATE INDEX {} IF NOT EXISTS "
    "FOR (n:Evidence) ON (n.tenant, n.dataset, n.head_number, n.tail_number)",
}
"""Constraints and indexes by name, which goes into the braces; all of them may be there already."""
INDEXES_THERE = "SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name"
AWAIT_INDEXES = "CALL db.awaitIndexes(60)"

VERSION = f"MATCH (g:Graph {{{OF}}}) RETURN g.version, g.stamp"
LOCK = f"""
MERGE (g:Graph {{{OF}}}) ON CREATE SET g.version = 0, g.numbers = 0
SET g.locked = $stamp RETURN g.version, g.stamp, g.numbers
"""
LOCK_IF_THERE = f"MATCH (g:Graph {{{OF}}}) SET g.locked = $stamp RETURN g.version, g.stamp"
COUNT_UP = f"MATCH (g:Graph {{{OF}}}) SET g.version = $version, g.stamp = $stamp, g.numbers = $numbers"

# What names are

ENTITY = "e.norm, e.name, e.type, e.type_confidence, e.df, e.others, e.target, e.renamed"
ENTITIES = f"UNWIND $keys AS key MATCH (e:Entity {{{OF}, key: key}}) RETURN {ENTITY}"
RENAMED_TO = f"UNWIND $keys AS key MATCH (e:Entity {{{OF}, target_key: key}}) RETURN {ENTITY}"
NUMBERS = f"UNWIND $keys AS key MATCH (e:Entity {{{OF}, key: key}}) RETURN e.norm, e.number, e.df"
STANDING = f"""
UNWIND $keys AS key MATCH (e:Entity {{{OF}, key: key}}) RETURN e.norm, e.subjects, e.mentions, e.named
"""
KNOWN_NAMES = f"""
MATCH (e:Entity {{{OF}}}) WHERE e.number IS NOT NULL AND e.subjects + e.mentions + e.named > 0
RETURN e.norm, e.subjects, e.mentions
"""
OWN_NAMES = f"""
UNWIND $ids AS id MATCH (:Document {{{OF}, id: id}})-[:HAS_CHUNK]->(c:Chunk {{{OF}}})
CALL (c) {{
  MATCH (c)-[:ABOUT]->(e:Entity {{{OF}}}) RETURN e.norm AS norm
  UNION MATCH (c)-[m:MENTIONS]->(e:Entity {{{OF}}}) WHERE m.extractor <> $gazetteer RETURN e.norm AS norm
  UNION MATCH (c)-[:SAYS]->(a:Alias {{{OF}}}) UNWIND [a.alias, a.of] AS norm RETURN norm
}}
RETURN DISTINCT norm
"""
KEPT = f"""
OPTIONAL MATCH (k:Entity {{{OF}, key: e.target_key}}) WHERE e.target <> '' AND NOT k.renamed
"""
"""What an entity is merged with, if it is."""
FIND = f"""
MATCH (e:Entity {{{OF}}}) WHERE e.number IS NOT NULL AND e.norm CONTAINS $text {KEPT}
WITH coalesce(k, e) AS found, max(CASE WHEN e.norm STARTS WITH $text THEN 1 ELSE 0 END) AS begins
RETURN found.norm ORDER BY begins DESC, found.df DESC, found.norm LIMIT $limit
"""
BEST_KNOWN = f"""
MATCH (e:Entity {{{OF}}}) WHERE e.number IS NOT NULL {KEPT}
WITH e, k WHERE k IS NULL RETURN e.norm ORDER BY e.df DESC, e.norm LIMIT $limit
"""

# Rows

MENTION = (
    "c.position, e.norm, m.name, m.type, m.confidence, m.start, m.end, m.sentence_start, m.sentence_end, m.extractor"
)
EVIDENCE = (
    "v.position, v.head, v.relation, v.tail, v.confidence, v.sentence, v.sentence_start, v.sentence_end, v.extractor"
)
TITLES = f"UNWIND $ids AS id MATCH (d:Document {{{OF}, id: id}}) RETURN d.id, d.title"
POSITIONS = f"""
UNWIND $ids AS id MATCH (:Document {{{OF}, id: id}})-[:HAS_CHUNK]->(c:Chunk {{{OF}}}) RETURN c.position
"""
CHUNKS = f"""
UNWIND $positions AS position MATCH (c:Chunk {{{OF}, position: position}})
OPTIONAL MATCH (c)-[a:ABOUT]->(e:Entity {{{OF}}})
RETURN c.position, coalesce(e.norm, ''), coalesce(a.name, ''), coalesce(a.type, ''), coalesce(a.confidence, 0.0),
  c.document
"""
MENTIONS = f"""
UNWIND $positions AS position MATCH (c:Chunk {{{OF}, position: position}})-[m:MENTIONS]->(e:Entity {{{OF}}})
RETURN {MENTION}
"""
MENTIONS_OF_PAIRS = f"""
UNWIND $pairs AS pair MATCH (c:Chunk {{{OF}, position: pair[0]}})
MATCH (c)-[m:MENTIONS]->(e:Entity {{{OF}}}) WHERE e.number = pair[1] RETURN {MENTION}
"""
EVIDENCE_OF_CHUNKS = f"""
UNWIND $positions AS position MATCH (c:Chunk {{{OF}, position: position}})-[:SAYS]->(v:Evidence {{{OF}}})
RETURN {EVIDENCE}
"""
ALIASES = f"""
UNWIND $positions AS position MATCH (c:Chunk {{{OF}, position: position}})-[:SAYS]->(a:Alias {{{OF}}})
RETURN a.position, a.alias, a.of, a.extractor
"""
LOST = f"""
UNWIND $keys AS key MATCH (e:Entity {{{OF}, key: key}})<-[m:MENTIONS]-(c:Chunk {{{OF}}})
WHERE m.extractor = $gazetteer RETURN DISTINCT e.norm, c.position
"""
EVIDENCE_OF_PAIRS = f"""
UNWIND range(0, size($pairs) - 1) AS place
CALL (place) {{
  UNWIND $pairs[place][0] AS one UNWIND $pairs[place][1] AS other UNWIND [[one, other], [other, one]] AS way
  WITH DISTINCT way
  MATCH (v:Evidence {{{OF}, head_number: way[0], tail_number: way[1]}})
  RETURN v ORDER BY v.confidence DESC, v.position, v.sentence_start, v.sentence_end, v.head, v.relation, v.tail,
    v.sentence, v.extractor LIMIT $limit
}}
RETURN {EVIDENCE}, place
"""
PASSAGES = f"""
UNWIND $numbers AS number MATCH (:Entity {{{OF}, number: number}})<-[:MENTIONS]-(c:Chunk {{{OF}}})
WITH DISTINCT c ORDER BY c.position LIMIT $limit
MATCH (c)-[m:MENTIONS]->(e:Entity {{{OF}}}) WHERE e.number IN $numbers RETURN {MENTION}
"""

# What is around

NEIGHBOURS = f"""
UNWIND $frontier AS number MATCH (e:Entity {{{OF}, number: number}})
CALL (e) {{
  MATCH (e)-[:REL]-(near:Entity {{{OF}}}) RETURN near
  UNION MATCH (e)<-[:ABOUT]-(:Chunk {{{OF}}})-[:MENTIONS]->(near:Entity {{{OF}}}) RETURN near
  UNION MATCH (e)<-[:MENTIONS]-(:Chunk {{{OF}}})-[:ABOUT]->(near:Entity {{{OF}}}) RETURN near
}}
WITH DISTINCT near AS e {KEPT}
WITH DISTINCT coalesce(k, e) AS near WHERE NOT near.number IN $seen
RETURN near.norm, near.number ORDER BY near.df DESC, near.norm LIMIT $limit
"""
EDGES_AMONG = f"""
UNWIND $numbers AS number MATCH (h:Entity {{{OF}, number: number}})-[r:REL]->(t:Entity {{{OF}}})
WHERE t.number IN $numbers RETURN h.norm, r.type, t.norm, r.confidence, r.evidence
"""
TOGETHER = f"""
UNWIND $numbers AS number MATCH (s:Entity {{{OF}, number: number}})<-[:ABOUT]-(c:Chunk {{{OF}}})
MATCH (c)-[:MENTIONS]->(e:Entity {{{OF}}}) WHERE e.number IN $numbers AND e.number <> number
RETURN s.norm, e.norm, count(DISTINCT c.position)
"""
COMMUNITY_OF = f"""
UNWIND $numbers AS number MATCH (e:Entity {{{OF}, number: number}})-[:IN_COMMUNITY]->(k:Community {{{OF}, level: 0}})
RETURN e.norm, min(k.id)
"""
COMMUNITIES = f"""
MATCH (k:Community {{{OF}}})<-[i:IN_COMMUNITY]-(e:Entity {{{OF}}}) WHERE k.id IS NOT NULL
WITH k, i.place AS place, e.norm AS norm ORDER BY place
RETURN k.id, k.level, k.parent, collect(norm), k.sentences, k.summary, k.rests_on
"""

# All of it

ALL_ENTITIES = f"MATCH (e:Entity {{{OF}}}) WHERE e.number IS NOT NULL RETURN e.number, {ENTITY}"
ALL_DOCUMENTS = f"MATCH (d:Document {{{OF}}}) WHERE d.id IS NOT NULL RETURN d.id"
ALL_CHUNKS = f"""
MATCH (c:Chunk {{{OF}}}) WHERE c.position IS NOT NULL OPTIONAL MATCH (c)-[:ABOUT]->(e:Entity {{{OF}}})
RETURN c.position, coalesce(e.number, 0), c.document
"""
ALL_MENTIONS = f"""
MATCH (c:Chunk {{{OF}}}) WHERE c.position IS NOT NULL MATCH (c)-[:MENTIONS]->(e:Entity {{{OF}}})
RETURN c.position, collect(DISTINCT e.number)
"""
ALL_EDGES = f"""
MATCH (h:Entity {{{OF}}}) WHERE h.number IS NOT NULL MATCH (h)-[r:REL]->(t:Entity {{{OF}}})
RETURN h.number, t.number, r.type, r.confidence
"""
COUNT_ENTITIES = f"MATCH (e:Entity {{{OF}}}) WHERE e.number IS NOT NULL RETURN count(e)"
COUNT_EDGES = f"""
MATCH (h:Entity {{{OF}}}) WHERE h.number IS NOT NULL RETURN coalesce(sum(COUNT {{ (h)-[:REL]->() }}), 0)
"""
COUNT_MENTIONS = f"""
MATCH (c:Chunk {{{OF}}}) WHERE c.position IS NOT NULL RETURN coalesce(sum(COUNT {{ (c)-[:MENTIONS]->() }}), 0)
"""
COUNT_COMMUNITIES = f"MATCH (k:Community {{{OF}}}) WHERE k.id IS NOT NULL RETURN count(k)"
READS = (
    *(VERSION, ENTITIES, RENAMED_TO, NUMBERS, STANDING, KNOWN_NAMES, OWN_NAMES, FIND, BEST_KNOWN, TITLES, POSITIONS),
    *(CHUNKS, MENTIONS, MENTIONS_OF_PAIRS, EVIDENCE_OF_CHUNKS, ALIASES, LOST, EVIDENCE_OF_PAIRS, PASSAGES),
    *(NEIGHBOURS, EDGES_AMONG, TOGETHER, COMMUNITY_OF, COMMUNITIES),
    *(ALL_ENTITIES, ALL_DOCUMENTS, ALL_CHUNKS, ALL_MENTIONS, ALL_EDGES),
    *(COUNT_ENTITIES, COUNT_EDGES, COUNT_MENTIONS, COUNT_COMMUNITIES),
)
"""What a server plans when it first meets it, which takes up to a second each."""
