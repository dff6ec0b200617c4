"""The Cypher by which the Neo4j graph store changes a graph; see `neo4j_graph_queries` for what is there."""

from __future__ import annotations

from tools.stores.neo4j_graph_queries import OF

NEW_DOCUMENTS = f"UNWIND $rows AS row MERGE (d:Document {{{OF}, id: row.id}}) SET d.title = row.title"
OLD_DOCUMENTS = f"UNWIND $rows AS id MATCH (d:Document {{{OF}, id: id}}) DETACH DELETE d"
OLD_CHUNKS = f"""
UNWIND $rows AS position MATCH (c:Chunk {{{OF}, position: position}})
OPTIONAL MATCH (c)-[:SAYS]->(said {{{OF}}}) DETACH DELETE said, c
"""
CHUNKS = f"""
UNWIND $rows AS row MATCH (d:Document {{{OF}, id: row.document}})
MERGE (c:Chunk {{{OF}, position: row.position}}) SET c.document = row.document CREATE (d)-[:HAS_CHUNK]->(c)
"""
LOOSEN_CHUNKS = f"""
UNWIND $rows AS position MATCH (c:Chunk {{{OF}, position: position}})
OPTIONAL MATCH (c)-[a:ABOUT]->(:Entity {{{OF}}}) OPTIONAL MATCH (:Document {{{OF}}})-[h:HAS_CHUNK]->(c) DELETE a, h
"""
SUBJECTS = f"""
UNWIND $rows AS row MATCH (c:Chunk {{{OF}, position: row.position}}) MATCH (e:Entity {{{OF}, number: row.entity}})
CREATE (c)-[:ABOUT {{name: row.name, type: row.type, confidence: row.confidence}}]->(e)
"""
UNLINK = f"""
UNWIND $rows AS position MATCH (c:Chunk {{{OF}, position: position}})-[next:NEXT]-(:Chunk {{{OF}}}) DELETE next
"""
LINK = f"""
UNWIND $rows AS row MATCH (c:Chunk {{{OF}, position: row[0]}}) MATCH (n:Chunk {{{OF}, position: row[1]}})
CREATE (c)-[:NEXT]->(n)
"""
NEW_ENTITIES = f"UNWIND $rows AS row CREATE (e:Entity {{{OF}, number: row.number}}) SET e += row"
CHANGED_ENTITIES = f"UNWIND $rows AS row MATCH (e:Entity {{{OF}, number: row.number}}) SET e += row"
OLD_ENTITIES = f"UNWIND $rows AS number MATCH (e:Entity {{{OF}, number: number}}) DETACH DELETE e"
TALLIES = f"UNWIND $keys AS key MATCH (e:Entity {{{OF}, key: key}}) RETURN e.norm, e.number, e.tally"
NEW_MENTIONS = f"""
UNWIND $rows AS row MATCH (c:Chunk {{{OF}, position: row[0]}}) MATCH (e:Entity {{{OF}, number: row[1]}})
CREATE (c)-[:MENTIONS {{name: row[2], type: row[3], confidence: row[4], start: row[5], end: row[6],
  sentence_start: row[7], sentence_end: row[8], extractor: row[9]}}]->(e)
"""
OLD_MENTIONS = f"""
UNWIND $rows AS row MATCH (c:Chunk {{{OF}, position: row[0]}}) MATCH (c)-[m:MENTIONS]->(e:Entity {{{OF}}})
WHERE e.number = row[1] AND m.name = row[2] AND m.type = row[3] AND m.confidence = row[4] AND m.start = row[5]
  AND m.end = row[6] AND m.sentence_start = row[7] AND m.sentence_end = row[8] AND m.extractor = row[9] DELETE m
"""
NEW_EVIDENCE = f"""
UNWIND $rows AS row MATCH (c:Chunk {{{OF}, position: row.position}})
CREATE (c)-[:SAYS]->(v:Evidence {{{OF}}}) SET v += row
"""
OLD_EVIDENCE = f"""
UNWIND $rows AS row MATCH (c:Chunk {{{OF}, position: row.position}})-[:SAYS]->(v:Evidence {{{OF}}})
WHERE v.head = row.head AND v.relation = row.relation AND v.tail = row.tail AND v.confidence = row.confidence
  AND v.sentence = row.sentence AND v.sentence_start = row.sentence_start AND v.sentence_end = row.sentence_end
  AND v.extractor = row.extractor DETACH DELETE v
"""
NEW_ALIASES = f"""
UNWIND $rows AS row MATCH (c:Chunk {{{OF}, position: row.position}})
CREATE (c)-[:SAYS]->(a:Alias {{{OF}}}) SET a += row
"""
OLD_ALIASES = f"""
UNWIND $rows AS row MATCH (c:Chunk {{{OF}, position: row.position}})-[:SAYS]->(a:Alias {{{OF}}})
WHERE a.alias = row.alias AND a.of = row.of AND a.extractor = row.extractor DETACH DELETE a
"""
EDGES = f"""
UNWIND $rows AS row MATCH (h:Entity {{{OF}, number: row[0]}})-[r:REL]->(t:Entity {{{OF}, number: row[1]}})
WHERE r.type = row[2] RETURN row[0], row[1], row[2], r.evidence
"""
SUREST = f"""
UNWIND $rows AS row
CALL (row) {{
  MATCH (v:Evidence {{{OF}, head_number: row[0], tail_number: row[1]}}) WHERE v.relation = row[2]
  RETURN v.confidence AS confidence ORDER BY confidence DESC LIMIT $limit
}}
RETURN row[0], row[1], row[2], collect(confidence)
"""
NEW_EDGES = f"""
UNWIND $rows AS row MATCH (h:Entity {{{OF}, number: row[0]}}) MATCH (t:Entity {{{OF}, number: row[1]}})
CREATE (h)-[:REL {{type: row[2], confidence: row[3], evidence: row[4]}}]->(t)
"""
CHANGED_EDGES = f"""
UNWIND $rows AS row MATCH (h:Entity {{{OF}, number: row[0]}})-[r:REL]->(t:Entity {{{OF}, number: row[1]}})
WHERE r.type = row[2] SET r.confidence = row[3], r.evidence = row[4]
"""
OLD_EDGES = f"""
UNWIND $rows AS row MATCH (h:Entity {{{OF}, number: row[0]}})-[r:REL]->(t:Entity {{{OF}, number: row[1]}})
WHERE r.type = row[2] DELETE r
"""
CHANGED_COMMUNITIES = f"""
UNWIND $rows AS row MATCH (k:Community {{{OF}, id: row.id}})
SET k.sentences = row.sentences, k.summary = row.summary, k.rests_on = row.rests_on
"""
EMPTY_COMMUNITIES = f"""
MATCH (k:Community {{{OF}}}) WHERE k.id IS NOT NULL AND NOT EXISTS {{ (k)<-[:IN_COMMUNITY]-() }} DELETE k
"""
OLD_COMMUNITIES = f"MATCH (k:Community {{{OF}}}) WHERE k.id IS NOT NULL DETACH DELETE k"
NEW_COMMUNITIES = f"UNWIND $rows AS row CREATE (k:Community {{{OF}}}) SET k += row"
MEMBERS = f"""
UNWIND $rows AS row MATCH (k:Community {{{OF}, id: row[0]}}) MATCH (e:Entity {{{OF}, key: row[1]}})
CREATE (e)-[:IN_COMMUNITY {{place: row[2]}}]->(k)
"""
DROPS = (
    f"MATCH (g:Graph {{{OF}}}) WITH g LIMIT $limit DELETE g RETURN count(*)",
    f"""
    MATCH (c:Chunk {{{OF}}}) WHERE c.position IS NOT NULL WITH c LIMIT $limit
    OPTIONAL MATCH (c)-[:SAYS]->(said {{{OF}}}) DETACH DELETE said, c RETURN count(*)
    """,
    f"""
    MATCH (e:Entity {{{OF}}}) WHERE e.number IS NOT NULL WITH e LIMIT $limit DETACH DELETE e RETURN count(*)
    """,
    f"MATCH (d:Document {{{OF}}}) WHERE d.id IS NOT NULL WITH d LIMIT $limit DETACH DELETE d RETURN count(*)",
    f"MATCH (k:Community {{{OF}}}) WHERE k.id IS NOT NULL WITH k LIMIT $limit DETACH DELETE k RETURN count(*)",
)
"""Each deletes some; in this order until none finds anything."""
OF_ROWS = (
    *(NEW_DOCUMENTS, OLD_DOCUMENTS, OLD_CHUNKS, LOOSEN_CHUNKS, CHUNKS, SUBJECTS, UNLINK, LINK),
    *(NEW_ENTITIES, CHANGED_ENTITIES, OLD_ENTITIES, NEW_MENTIONS, OLD_MENTIONS, NEW_EVIDENCE, OLD_EVIDENCE),
    *(NEW_ALIASES, OLD_ALIASES, EDGES, SUREST, NEW_EDGES, CHANGED_EDGES, OLD_EDGES),
)
"""What an `apply` asks: planned ahead, with no rows, so that the first one need not wait for it."""
