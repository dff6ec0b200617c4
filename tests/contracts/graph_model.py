"""The plainest possible `GraphStore`: documents in a dictionary, everything worked out anew for every question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tools.errors import Conflict
from tools.stores.graph_protocol import (
    GAZETTEER,
    Community,
    GraphAlias,
    GraphChange,
    GraphChunk,
    GraphDocument,
    GraphEdge,
    GraphEntity,
    GraphEvidence,
    GraphMention,
    GraphRows,
    NameStanding,
    Neighbourhood,
)


class PlainGraph:
    """One data set's graph by the Protocol's words."""

    def __init__(self) -> None:
        self.version = 0
        self.documents: dict[str, GraphDocument] = {}
        self.gained: set[GraphMention] = set()
        self.kept_communities: list[Community] = []

    def apply(self, change: GraphChange) -> int:
        if change.base_version != self.version:
            raise Conflict("stale", code="graph_changed")
        before = set(self.chunks)

        def stays(mention: GraphMention) -> bool:
            return mention.extractor != GAZETTEER or mention.norm not in change.lost

        self.gained = set(filter(stays, self.gained))
        for one in self.documents.values():
            self.documents[one.id] = replace(one, mentions=list(filter(stays, one.mentions)))
        touched = {one.id for one in change.documents} | set(change.removed)
        old = {at for at, owner in self.owners.items() if owner in touched}
        self.gained = {mention for mention in self.gained if mention.position not in old}
        for id_ in touched:
            self.documents.pop(id_, None)
        self.documents |= {one.id: one for one in change.documents}
        self.gained |= {mention for mention in change.gained if mention.position in self.chunks}
        self.version += 1
        self._void(before - set(self.chunks))
        return self.version

    def _void(self, gone: set[int]) -> None:
        kept = []
        for one in self.kept_communities:
            members = [norm for norm in one.members if norm in self.norms]
            sentences = [sentence for sentence in one.sentences if sentence.position not in gone]
            if gone & set(one.rests_on):
                one = replace(one, summary="", rests_on=())
            if members:
                kept.append(replace(one, members=members, sentences=sentences))
        self.kept_communities = kept

    @property
    def owners(self) -> dict[int, str]:
        return {chunk.position: one.id for one in self.documents.values() for chunk in one.chunks}

    @property
    def chunks(self) -> dict[int, GraphChunk]:
        return {chunk.position: chunk for one in self.documents.values() for chunk in one.chunks}

    @property
    def mention_rows(self) -> set[GraphMention]:
        return {mention for one in self.documents.values() for mention in one.mentions} | self.gained

    @property
    def evidence_rows(self) -> set[GraphEvidence]:
        return {row for one in self.documents.values() for row in one.evidence}

    @property
    def alias_rows(self) -> set[GraphAlias]:
        return {row for one in self.documents.values() for row in one.aliases}

    @property
    def norms(self) -> set[str]:
        named = {chunk.subject for chunk in self.chunks.values() if chunk.subject}
        named |= {mention.norm for mention in self.mention_rows}
        named |= {norm for row in self.evidence_rows for norm in (row.head, row.tail)}
        return named | {norm for row in self.alias_rows for norm in (row.alias, row.of)}

    def spellings(self, norm: str) -> Counter[str]:
        names = [mention.name for mention in self.mention_rows if mention.norm == norm]
        names += [chunk.subject_name for chunk in self.chunks.values() if chunk.subject == norm]
        return Counter(name for name in names if name)

    def name(self, norm: str) -> str:
        spellings = self.spellings(norm)
        most = max(spellings.values(), default=0)
        return min((name for name, number in spellings.items() if number == most), default=norm)

    def type(self, norm: str) -> tuple[str, float]:
        votes = [(mention.type, mention.confidence) for mention in self.mention_rows if mention.norm == norm]
        about = [chunk for chunk in self.chunks.values() if chunk.subject == norm]
        votes += [(chunk.subject_type, chunk.subject_confidence) for chunk in about]
        sums: dict[str, Fraction] = {}
        for type_, confidence in votes:
            if type_:
                sums[type_] = sums.get(type_, Fraction()) + Fraction(round(confidence * 1e6), 10**6)
        if not sums:
            return "", 0.0
        best = min(type_ for type_, total in sums.items() if total == max(sums.values()))
        total, number = sum(sums.values()), sum(type_ == best for type_, _ in votes)
        return best, round(float(sums[best] / total * sums[best] / number), 6) if total else 0.0

    def merged_into(self, norm: str) -> str:
        targets = {row.of for row in self.alias_rows if row.alias == norm}
        renamed = {row.alias for row in self.alias_rows}
        return next(iter(targets)) if len(targets) == 1 and not targets & renamed else ""

    def kept(self, norm: str) -> str:
        return self.merged_into(norm) or norm

    def chunks_of(self, norm: str) -> set[int]:
        about = {at for at, chunk in self.chunks.items() if chunk.subject == norm}
        return about | {mention.position for mention in self.mention_rows if mention.norm == norm}

    def entity(self, norm: str) -> GraphEntity:
        names = set(self.spellings(norm))
        for other in self.norms:
            if self.merged_into(other) == norm:
                names |= {self.name(other), *self.spellings(other)}
        name = self.name(norm)
        df = len(self.chunks_of(norm))
        return GraphEntity(norm, name, *self.type(norm), df, tuple(sorted(names - {name})), self.merged_into(norm))

    @property
    def edges(self) -> list[GraphEdge]:
        by_triple: dict[tuple[str, str, str], list[float]] = {}
        for row in self.evidence_rows:
            by_triple.setdefault((row.head, row.relation, row.tail), []).append(row.confidence)
        return [
            GraphEdge(*triple, round(1 - math.prod(1 - c for c in sorted(all_, reverse=True)[:50]), 6), len(all_))
            for triple, all_ in sorted(by_triple.items())
        ]

    def names_of(self, document_ids: Sequence[str]) -> list[str]:
        names: set[str] = set()
        for one in (self.documents[id_] for id_ in document_ids if id_ in self.documents):
            names |= {chunk.subject for chunk in one.chunks if chunk.subject}
            names |= {mention.norm for mention in one.mentions if mention.extractor != GAZETTEER}
            names |= {norm for row in one.aliases for norm in (row.alias, row.of)}
        return sorted(names)

    def standing(self, norms: Sequence[str], without: Sequence[str] = ()) -> dict[str, NameStanding]:
        left = [one for one in self.documents.values() if one.id not in without]
        known = {norm for one in left for norm in self.names_of([one.id])}
        return {
            norm: NameStanding(
                sum(chunk.subject == norm for one in left for chunk in one.chunks),
                len({
                    mention.position
                    for one in left
                    for mention in one.mentions
                    if mention.norm == norm and mention.extractor != GAZETTEER
                }),
            )
            for norm in norms
            if norm in known
        }  # fmt: skip

    def known_names(self) -> list[tuple[str, NameStanding]]:
        return sorted(self.standing(sorted(self.norms)).items())

    def read(self) -> Mapping[str, object]:
        owners = self.owners
        return {
            "version": self.version,
            "entities": [self.entity(norm) for norm in sorted(self.norms)],
            "documents": sorted(self.documents),
            "chunks": [(at, owners[at], chunk.subject or None) for at, chunk in sorted(self.chunks.items())],
            "mentions": sorted({(mention.position, mention.norm) for mention in self.mention_rows}),
            "edges": sorted((edge.head, edge.relation, edge.tail, edge.confidence) for edge in self.edges),
        }

    def evidence(self, pairs: Sequence[tuple[str, str]], limit: int = 3) -> list[GraphEvidence]:
        def order(row: GraphEvidence) -> tuple[object, ...]:
            where = row.position, row.sentence_start, row.sentence_end
            return (-row.confidence, *where, row.head, row.relation, row.tail, row.sentence, row.extractor)

        found: list[GraphEvidence] = []
        for pair in pairs:
            asked = tuple(map(self.kept, pair))
            rows = [
                row for row in self.evidence_rows if (self.kept(row.head), self.kept(row.tail)) in (asked, asked[::-1])
            ]
            found += sorted(rows, key=order)[:limit]
        return found

    def mentions(self, pairs: Sequence[tuple[str, int]]) -> list[GraphMention]:
        found: list[GraphMention] = []
        for pair in pairs:
            rows = [row for row in self.mention_rows if (row.norm, row.position) == pair]
            found += sorted(rows, key=lambda row: (row.start, row.end, row.extractor, *row[2:]))[:1]
        return found

    def passages_of(self, norm: str, limit: int) -> list[GraphMention]:
        kept = self.merged_into(norm) or norm
        group = {other for other in self.norms if kept in (other, self.merged_into(other))}
        first: dict[int, GraphMention] = {}
        for row in sorted(
            self.mention_rows, key=lambda row: (row.position, row.start, row.end, row.norm, row[9], *row)
        ):
            if row.norm in group:
                first.setdefault(row.position, row)
        return list(first.values())[:limit]

    def folded(self) -> list[GraphEdge]:
        same: dict[tuple[str, str, str], list[GraphEdge]] = {}
        for edge in self.edges:
            ends = self.kept(edge.head), self.kept(edge.tail)
            if ends[0] != ends[1] or edge.head == edge.tail:
                same.setdefault((ends[0], edge.relation, ends[1]), []).append(edge)
        return [
            GraphEdge(*triple, round(1 - math.prod(1 - edge.confidence for edge in all_), 6), sum(e[4] for e in all_))
            for triple, all_ in same.items()
        ]

    def neighbours(self, norm: str) -> set[str]:
        near = {edge.tail for edge in self.folded() if edge.head == norm}
        near |= {edge.head for edge in self.folded() if edge.tail == norm}
        return near | {other for pair in self.together() if norm in pair for other in pair}

    def together(self) -> Counter[frozenset[str]]:
        found: Counter[frozenset[str]] = Counter()
        for subject, mention, _ in {
            (self.chunks[row.position].subject, row.norm, row.position) for row in self.mention_rows
        }:
            if subject and self.kept(subject) != self.kept(mention):
                found[frozenset((self.kept(subject), self.kept(mention)))] += 1
        return found

    def neighbourhood(self, norms: Sequence[str], hops: int, limit: int) -> Neighbourhood:
        def by_df(some: set[str]) -> list[str]:
            return sorted(some, key=lambda norm: (-len(self.chunks_of(norm)), norm))

        order = by_df({self.kept(norm) for norm in (set(norms) & self.norms if norms else self.norms)})
        frontier = set(order) if norms else set()
        for _ in range(hops):
            frontier = {near for norm in frontier for near in self.neighbours(norm)} - set(order)
            order += by_df(frontier)
        shown = order[:limit]
        edges = [edge for edge in self.folded() if {edge.head, edge.tail} <= set(shown)]
        joined = {frozenset((edge.head, edge.tail)) for edge in edges}
        for pair, number in self.together().items():
            if pair <= set(shown) and pair not in joined:
                edges.append(GraphEdge(min(pair), "related_to", max(pair), 0.0, number))
        community_of = {
            norm: min(one.id for one in self.kept_communities if one.level == 0 and norm in one.members)
            for norm in shown
            if any(one.level == 0 and norm in one.members for one in self.kept_communities)
        }
        entities = [self.entity(norm) for norm in shown]
        return Neighbourhood(self.version, entities, sorted(edges), community_of, len(order) <= limit)

    def find(self, text: str, limit: int) -> list[GraphEntity]:
        begins: dict[str, bool] = {}
        for norm in self.norms:
            if text in norm:
                begins[self.kept(norm)] = begins.get(self.kept(norm), False) or norm.startswith(text)
        found = [self.entity(norm) for norm in begins]
        found.sort(key=lambda entity: (not begins[entity.norm], -entity.df, entity.norm))
        return found[:limit]

    def keep_communities(self, version: int, communities: Sequence[Community]) -> bool:
        if version == self.version:
            self.kept_communities = sorted(communities, key=lambda one: (one.level, one.id))
            self._void(set())
        return version == self.version

    def communities(self) -> list[Community]:
        return listed(self.kept_communities)

    def drop(self) -> None:
        self.__init__()

    def counts(self) -> dict[str, int]:
        return {
            "entities": len(self.norms),
            "edges": len(self.edges),
            "mentions": len(self.mention_rows),
            "communities": len(self.kept_communities),
        }


def listed(communities: Sequence[Community]) -> list[Community]:
    """Communities that are equal where their lists and tuples hold the same."""
    return [
        replace(one, members=tuple(one.members), sentences=tuple(one.sentences), rests_on=tuple(one.rests_on))
        for one in communities
    ]


def plain(rows: GraphRows) -> Mapping[str, object]:
    """A whole graph with its places looked up, as `PlainGraph.read` gives it."""
    norms = [entity.norm for entity in rows.entities]
    at = rows.positions.tolist()
    edges = zip(rows.edge_heads, rows.edge_relations, rows.edge_tails, rows.edge_confidences, strict=True)
    return {
        "version": rows.version,
        "entities": list(rows.entities),
        "documents": list(rows.documents),
        "chunks": [
            (position, rows.documents[document], None if subject < 0 else norms[subject])
            for position, document, subject in zip(at, rows.chunk_documents, rows.subjects, strict=True)
        ],
        "mentions": [
            (at[chunk], norms[entity]) for chunk, entity in zip(rows.mention_chunks, rows.mention_entities, strict=True)
        ],
        "edges": [
            (norms[head], rows.relations[kind], norms[tail], round(float(confidence), 6))
            for head, kind, tail, confidence in edges
        ],
    }
