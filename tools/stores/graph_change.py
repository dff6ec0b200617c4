"""What a change does to a graph's rows, worked out once for every backend.

A backend reads the rows that a change may touch (`Rows` before it), is told what goes and what comes
(`Difference`), and writes that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tools.stores.graph_protocol import GAZETTEER, Community, GraphChange, GraphDocument, GraphMention
from tools.stores.graph_rows import Rows, Tally, combined, tallies

Triple = tuple[str, str, str]
"""Head, relation and tail of an edge."""


@dataclass(slots=True)
class Difference:
    """Rows that go and rows that come; `tallies` and `edges` (evidence rows) are what is to be added to each name and
    edge, never nothing. `gone` are chunks that are no more."""

    removed: Rows = field(default_factory=Rows)
    added: Rows = field(default_factory=Rows)
    tallies: dict[str, Tally] = field(default_factory=dict[str, Tally])
    edges: dict[Triple, int] = field(default_factory=dict[Triple, int])
    gone: set[int] = field(default_factory=set[int])

    @property
    def touched_edges(self) -> list[Triple]:
        """Edges whose evidence changes, even where as much comes as goes."""
        changed = self.removed.evidence | self.added.evidence
        return sorted({(row.head, row.relation, row.tail) for row in changed})

    @property
    def names(self) -> list[str]:
        """Every norm that a row which goes or comes names, in order."""
        named = set(self.tallies)
        for rows in (self.removed, self.added):
            named.update(chunk.subject for chunk in rows.chunks.values() if chunk.subject)
            named.update(mention.norm for mention in rows.mentions)
            named.update(norm for row in rows.evidence for norm in (row.head, row.tail))
            named.update(norm for row in rows.aliases for norm in (row.alias, row.of))
        return sorted(named)


def documents_of(change: GraphChange) -> list[str]:
    """The documents whose rows the change replaces or removes."""
    return sorted({*(document.id for document in change.documents), *change.removed})


def rows_of(documents: Iterable[GraphDocument]) -> Rows:
    """All rows of the documents; a later one of the same id replaces the earlier.

    Raises:
        ValueError: a row's position is that of none of its document's chunks.
    """
    rows = Rows()
    for document in {document.id: document for document in documents}.values():
        rows.documents[document.id] = document.title
        chunks = {chunk.position: chunk for chunk in document.chunks}
        if chunks.keys() & rows.owners.keys():
            raise ValueError("Two documents name one chunk.")
        rows.owners.update(dict.fromkeys(chunks, document.id))
        rows.chunks.update(chunks)
        for kind in (document.mentions, document.evidence, document.aliases):
            if any(row.position not in chunks for row in kind):
                raise ValueError("A row rests on no chunk of its document.")
        rows.mentions.update(document.mentions)
        rows.evidence.update(document.evidence)
        rows.aliases.update(document.aliases)
    return rows


def gained_elsewhere(change: GraphChange, before: Rows, after: Rows) -> list[GraphMention]:
    """The gained mentions in chunks of documents that the change leaves as they are."""
    touched = before.owners.keys() | after.owners.keys()
    return [mention for mention in change.gained if mention.position not in touched]


def difference(change: GraphChange, before: Rows, after: Rows, elsewhere: Rows) -> Difference:
    """What the change does, from its documents' rows `before` and `after` and the rows it meets `elsewhere`.

    `elsewhere` holds, for every name that is lost or gained in another document's chunk, all mentions of it there,
    and the chunk: of a subject where that is the name, else without. Chunks that are not there have none.
    """
    lost = set(change.lost)
    kept = {row for row in elsewhere.mentions if row.extractor != GAZETTEER or row.norm not in lost}
    there = {row for row in change.gained if row.position in elsewhere.owners}
    inside = {row for row in change.gained if row.position in after.owners}
    old = replace(before, chunks=before.chunks | elsewhere.chunks, mentions=before.mentions | elsewhere.mentions)
    new = replace(after, chunks=after.chunks | elsewhere.chunks, mentions=after.mentions | inside | kept | there)
    changed = Counter((row.head, row.relation, row.tail) for row in new.evidence - old.evidence)
    changed.subtract((row.head, row.relation, row.tail) for row in old.evidence - new.evidence)
    return Difference(
        removed=_without(old, new),
        added=_without(new, old),
        tallies=_changes(tallies(old), tallies(new)),
        edges={triple: number for triple, number in changed.items() if number},
        gone=before.owners.keys() - after.owners.keys(),
    )


def _without(rows: Rows, others: Rows) -> Rows:
    """What is in `rows` and not in `others`; a chunk that changes owner or subject is in both differences."""
    return Rows(
        documents=dict(rows.documents.items() - others.documents.items()),
        owners=rows.owners,
        chunks={
            position: chunk
            for position, chunk in rows.chunks.items()
            if others.chunks.get(position) != chunk or others.owners.get(position) != rows.owners.get(position)
        },
        mentions=rows.mentions - others.mentions,
        evidence=rows.evidence - others.evidence,
        aliases=rows.aliases - others.aliases,
    )


def _changes(before: dict[str, Tally], after: dict[str, Tally]) -> dict[str, Tally]:
    changes = {norm: combined(after.get(norm, {}), before.get(norm, {}), -1) for norm in before.keys() | after.keys()}
    return {norm: change for norm, change in changes.items() if change}


def without_chunks(communities: Sequence[Community], gone: set[int]) -> list[Community]:
    """Those of the communities that speak of chunks that are gone, as they are without them."""
    changed: list[Community] = []
    for community in communities:
        void = not gone.isdisjoint(community.rests_on)
        sentences = [sentence for sentence in community.sentences if sentence.position not in gone]
        if void or len(sentences) < len(community.sentences):
            summary, rests_on = ("", ()) if void else (community.summary, community.rests_on)
            changed.append(replace(community, sentences=sentences, summary=summary, rests_on=rests_on))
    return changed
