"""Leads a graph store after the records: from changed documents to one change of their data set's graph.

A document's own rows come from its chunks' extractions alone. What depends on other documents is which names
are known: a name that some chunk is about, or that two chunks mention, is found wherever it stands, also
where no tagger saw it. So a change looks for names that became known in the other documents' chunks, and
takes back the finds of names that no longer are. The graph that results depends on the documents in it,
not on their order.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.errors import Conflict
from tools.knowledge.extraction.enrichment_merge import merged
from tools.knowledge.extraction.protocol import Extraction
from tools.knowledge.extraction.stored import from_json
from tools.knowledge.graph.gazetteer import Found, Gazetteer, first_of_each
from tools.knowledge.sentences import split_sentences
from tools.stores.following_protocol import ChunkText, FollowedChunk, FollowedDocument, Outbox, StaleBatch
from tools.stores.graph_protocol import (
    GAZETTEER,
    GraphAlias,
    GraphChange,
    GraphChunk,
    GraphDocument,
    GraphEvidence,
    GraphMention,
    GraphStore,
    NameStanding,
)

MENTIONS_TO_BE_KNOWN = 2
"""Chunks that must mention a name before it is looked for elsewhere; the subject of a chunk is known at once."""
PAGE = 1_000
"""Chunks of other documents that are searched at a time."""
KEPT = 16
"""Data sets whose known names stay in memory between changes."""
ATTEMPTS = 5
"""How often a change is made anew because another process changed the graph under it."""


@dataclass(slots=True)
class _Known:
    """The names known to a data set's graph at a version."""

    version: int
    names: Gazetteer


class GraphProjection:
    """Applies changed documents to a `GraphStore`; one runs at a time for a data set."""

    def __init__(self, outbox: Outbox, graphs: GraphStore) -> None:
        self._outbox = outbox
        self._graphs = graphs
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    async def follow(self, batch: StaleBatch) -> None:
        """Make the graph hold exactly what these documents now say.

        Raises:
            StoreUnavailable: the graph is as it was; the same batch may be tried again.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._follow(batch)
                return
            except Conflict:
                self._known.pop((batch.tenant_id, batch.dataset_id), None)
                if attempt == ATTEMPTS:
                    raise

    async def _follow(self, batch: StaleBatch) -> None:
        tenant_id, dataset_id, ids = batch.tenant_id, batch.dataset_id, batch.document_ids
        known = await self._known_names(tenant_id, dataset_id)
        found = await self._outbox.documents(tenant_id, dataset_id, ids)
        documents = await asyncio.to_thread(lambda: [own_rows(document) for document in found])
        gained, lost = await self._turned(batch, documents)
        # On a copy: a change that is not applied leaves what is known as it was.
        names = await asyncio.to_thread(known.names.changed, gained, lost)
        documents = await asyncio.to_thread(_with_known_names, documents, found, names)
        change = GraphChange(
            base_version=known.version,
            documents=documents,
            removed=sorted(set(ids) - {document.id for document in documents}),
            gained=await self._finds_elsewhere(batch, gained),
            lost=sorted(lost),
        )
        if not change.documents and not known.version:
            return
        version = await self._graphs.apply(tenant_id, dataset_id, change)
        self._keep((tenant_id, dataset_id), _Known(version, names))

    async def _known_names(self, tenant_id: str, dataset_id: str) -> _Known:
        """The names known at the graph's version, from memory where that is still the version."""
        version = await self._graphs.version(tenant_id, dataset_id)
        kept = self._known.get((tenant_id, dataset_id))
        if kept is not None and kept.version == version:
            return kept
        rows = await self._graphs.known_names(tenant_id, dataset_id) if version else ()
        names = await asyncio.to_thread(Gazetteer, [norm for norm, standing in rows if _is_known(standing)])
        return _Known(version, names)

    async def _turned(self, batch: StaleBatch, documents: Sequence[GraphDocument]) -> tuple[set[str], set[str]]:
        """The names that become known by this change, and those that no longer are."""
        tenant_id, dataset_id, ids = batch.tenant_id, batch.dataset_id, batch.document_ids
        added = _standing_by(documents)
        touched = sorted({*added, *await self._graphs.names_of(tenant_id, dataset_id, ids)})
        before = await self._graphs.standing(tenant_id, dataset_id, touched)
        others = await self._graphs.standing(tenant_id, dataset_id, touched, without=ids)
        was = {norm for norm in touched if _is_known(before.get(norm))}
        will_be = {norm for norm in touched if _is_known(_sum(others.get(norm), added.get(norm)))}
        return will_be - was, was - will_be

    async def _finds_elsewhere(self, batch: StaleBatch, gained: set[str]) -> list[GraphMention]:
        """Where names that become known stand in the data set's other documents."""
        names = Gazetteer(gained)
        rows: list[GraphMention] = []
        position, changing = 0, frozenset(batch.document_ids)
        while len(names):
            page = await self._outbox.texts(batch.tenant_id, batch.dataset_id, position, PAGE)
            if not page:
                break
            position = page[-1].position
            rows.extend(
                await asyncio.to_thread(_finds, names, [text for text in page if text.document_id not in changing])
            )
        own = await self._outbox.extractions(batch.tenant_id, sorted({row.position for row in rows}))
        return await asyncio.to_thread(_not_own, rows, own)

    def _keep(self, key: tuple[str, str], known: _Known) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)


def own_rows(document: FollowedDocument) -> GraphDocument:
    """What a document's own chunks say; chunks in which nothing was looked for are left out."""
    chunks: list[GraphChunk] = []
    mentions: list[GraphMention] = []
    evidence: list[GraphEvidence] = []
    aliases: list[GraphAlias] = []
    for chunk in document.chunks:
        if chunk.extraction is None:
            continue
        extraction = _read_out(chunk.extraction, chunk.enrichment)
        chunks.append(_chunk_row(chunk, extraction))
        mentions.extend(_mention_rows(chunk, extraction))
        evidence.extend(_evidence_rows(chunk, extraction))
        aliases.extend(_alias_rows(chunk, extraction))
    return GraphDocument(document.id, document.title, chunks, mentions, evidence, aliases)


def _read_out(own: str, added: str | None) -> Extraction:
    extraction = from_json(own)
    return extraction if added is None else merged(extraction, from_json(added))


def _chunk_row(chunk: FollowedChunk, extraction: Extraction) -> GraphChunk:
    subject = extraction.subject
    if subject is None:
        return GraphChunk(chunk.position)
    return GraphChunk(chunk.position, subject.norm, subject.name, subject.type or "", round(subject.confidence, 4))


def _mention_rows(chunk: FollowedChunk, extraction: Extraction) -> list[GraphMention]:
    """One row for a name: its surest mention, the first of those."""
    surest = {}
    for mention in extraction.mentions:
        kept = surest.get(mention.norm)
        if kept is None or mention.confidence > kept.confidence:
            surest[mention.norm] = mention
    sentences = _Sentences(chunk)
    return [
        GraphMention(
            chunk.position,
            mention.norm,
            mention.text,
            mention.type,
            mention.confidence,
            chunk.start + mention.start,
            chunk.start + mention.end,
            *sentences.around(mention.start),
            mention.extractor,
        )
        for mention in sorted(surest.values(), key=lambda mention: mention.start)
    ]


def _evidence_rows(chunk: FollowedChunk, extraction: Extraction) -> list[GraphEvidence]:
    """One row for a relation of two names in a sentence, the surest; none of a name to itself."""
    surest: dict[tuple[str, str, str, int], GraphEvidence] = {}
    for relation in extraction.relations:
        head, tail = extraction.mentions[relation.head].norm, extraction.mentions[relation.tail].norm
        key = (head, relation.type, tail, relation.start)
        kept = surest.get(key)
        if head == tail or (kept is not None and kept.confidence >= relation.confidence):
            continue
        surest[key] = GraphEvidence(
            chunk.position,
            head,
            relation.type,
            tail,
            relation.confidence,
            chunk.text[relation.start : relation.end],
            chunk.start + relation.start,
            chunk.start + relation.end,
            relation.extractor,
        )
    return list(surest.values())


def _alias_rows(chunk: FollowedChunk, extraction: Extraction) -> list[GraphAlias]:
    rows = {
        (alias.alias, alias.of): GraphAlias(chunk.position, alias.alias, alias.of, alias.extractor)
        for alias in extraction.aliases
        if alias.alias != alias.of
    }
    return list(rows.values())


def _with_known_names(
    documents: Sequence[GraphDocument], found: Sequence[FollowedDocument], names: Gazetteer
) -> list[GraphDocument]:
    """The documents with the known names that stand in their chunks beside those mentioned there anyway."""
    full: list[GraphDocument] = []
    for rows, document in zip(documents, found, strict=True):
        own = {(mention.position, mention.norm) for mention in rows.mentions}
        texts = [
            ChunkText(chunk.position, document.id, chunk.start, chunk.text)
            for chunk in document.chunks
            if chunk.extraction is not None
        ]
        more = [row for row in _finds(names, texts) if (row.position, row.norm) not in own]
        mentions = [*rows.mentions, *more]
        full.append(GraphDocument(rows.id, rows.title, rows.chunks, mentions, rows.evidence, rows.aliases))
    return full


def _finds(names: Gazetteer, texts: Iterable[ChunkText]) -> list[GraphMention]:
    """For each text and known name in it one row, where the name stands first."""
    rows: list[GraphMention] = []
    for chunk in texts:
        firsts = first_of_each(names.find(chunk.text))
        if firsts:
            sentences = _Sentences(chunk)
            rows.extend(_find_row(chunk, found, sentences) for found in firsts.values())
    return rows


def _find_row(chunk: ChunkText, found: Found, sentences: _Sentences) -> GraphMention:
    return GraphMention(
        chunk.position,
        found.norm,
        chunk.text[found.start : found.end],
        "",
        1.0,
        chunk.start + found.start,
        chunk.start + found.end,
        *sentences.around(found.start),
        GAZETTEER,
    )


def _not_own(rows: Sequence[GraphMention], own: Sequence[tuple[int, str]]) -> list[GraphMention]:
    """Without those whose chunk mentions the name itself, and those in chunks that are no part of the graph."""
    mentioned: dict[int, set[str]] = {}
    for position, extraction in own:
        mentioned.setdefault(position, set()).update(mention.norm for mention in from_json(extraction).mentions)
    return [row for row in rows if row.position in mentioned and row.norm not in mentioned[row.position]]


class _Sentences:
    """The sentences of a chunk, looked up by a place in its text; cut when first asked for."""

    def __init__(self, chunk: FollowedChunk | ChunkText) -> None:
        self._chunk = chunk
        self._spans: list[tuple[int, int]] | None = None

    def around(self, place: int) -> tuple[int, int]:
        """Where the sentence at `place` begins and ends, in characters of the document's text."""
        if self._spans is None:
            self._spans = [(sentence.start, sentence.end) for sentence in split_sentences(self._chunk.text)]
        number = bisect_right(self._spans, place, key=lambda span: span[0]) - 1
        start, end = self._spans[number] if number >= 0 else (0, len(self._chunk.text))
        return self._chunk.start + start, self._chunk.start + end


def _standing_by(documents: Sequence[GraphDocument]) -> dict[str, NameStanding]:
    """How names stand by these documents' own rows."""
    subjects = Counter(chunk.subject for document in documents for chunk in document.chunks if chunk.subject)
    mentions = Counter(mention.norm for document in documents for mention in document.mentions)
    return {norm: NameStanding(subjects[norm], mentions[norm]) for norm in {*subjects, *mentions}}


def _sum(first: NameStanding | None, second: NameStanding | None) -> NameStanding:
    both = [standing for standing in (first, second) if standing is not None]
    return NameStanding(sum(one.subjects for one in both), sum(one.mentions for one in both))


def _is_known(standing: NameStanding | None) -> bool:
    return standing is not None and (standing.subjects > 0 or standing.mentions >= MENTIONS_TO_BE_KNOWN)
