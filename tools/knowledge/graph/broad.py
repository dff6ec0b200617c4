"""Answers broad questions ("what are these documents about?") from the communities of the data sets asked for.

Passages are chunks in which the communities' sentences stand, read from the records at the moment of asking, so
what was deleted is never among them. Documents that no community speaks of, and data sets without any, are
represented by chunks spread over them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tools.errors import StoreUnavailable
from tools.knowledge.dates import date_range
from tools.knowledge.protocol import Passage, Retrieval, RetrievalQuery, Retriever
from tools.models.broad_questions import is_broad
from tools.stores.graph_protocol import Community, GraphStore
from tools.stores.knowledge_protocol import ChunkReader, StoredChunk

LEVELS = 2
"""Communities of the coarsest levels answer."""
MOST_COMMUNITIES = 200
"""The largest of a data set that are looked at."""
CANDIDATES_PER_PASSAGE = 6
LEAST_CANDIDATES = 40
LATER_SHARE, SAME_COMMUNITY_SHARE, SAME_DOCUMENT_SHARE, FINER_SHARE = 0.9, 0.5, 0.6, 0.6
"""What remains of a sentence's worth for each better one of its community, for each passage that its community or its
document already gave, and for each level below the coarsest."""
SPREAD_SCORE = 0.3
"""Score of the first passage that no community gave; the next ones have a little less."""
AT_ONCE = 8
"""Data sets whose communities are read side by side."""
REMEMBERED = 64
REMEMBERED_SECONDS = 30.0
"""How long the communities of an unchanged graph are taken as read."""


class SpreadChunks(Protocol):
    """Finds chunks that stand for documents of which nothing is known."""

    async def datasets(self, tenant_id: str) -> Sequence[str]:
        """The tenant's data sets."""
        ...

    async def spread(
        self, tenant_id: str, dataset_ids: Sequence[str] | None, number: int, days: tuple[int, int]
    ) -> Sequence[int]:
        """Positions of at most `number` chunks, documents taking turns; `days` are ordinals, both included."""
        ...

    async def within(self, tenant_id: str, positions: Sequence[int], days: tuple[int, int]) -> Sequence[int]:
        """Those of the positions whose documents bear a date within `days`."""
        ...


@dataclass(frozen=True, slots=True)
class Speaker:
    """A community as broad answers see it: how large, how coarse (`level` 0 is the coarsest), where it is quoted."""

    id: str
    size: int
    level: int
    parent: str
    positions: Sequence[int]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A chunk for an answer, its score (0-1) and the community it speaks for ("" for none)."""

    chunk: StoredChunk
    score: float
    community: str


class BroadSearch:
    """Finds passages for broad questions."""

    def __init__(self, graph_store: GraphStore, chunks: ChunkReader, spread: SpreadChunks) -> None:
        self._graphs = graph_store
        self._chunks = chunks
        self._spread = spread
        self._known: OrderedDict[tuple[str, str], tuple[int, float, Sequence[Speaker]]] = OrderedDict()

    async def search(self, tenant_id: str, query: RetrievalQuery) -> Retrieval | None:
        """Passages over all documents asked for, best first; None when the question is not broad.

        Not broad, too, is whatever leaves communities out: `use_community` False, a search by vectors alone, a
        filter by entity types. A graph store that cannot be reached leaves the answer `degraded`. Notices:
        `communities_not_available` (none answered), `no_documents`.

        Raises:
            NotFound: a data set that is not the tenant's.
            InvalidInput: `filters["date_range"]` is not a range of dates.
        """
        if not query.use_community or query.search_type == "vector" or query.filters.get("entity_types"):
            return None
        if not is_broad(query.text, asked_broadly=query.asked_broadly):
            return None
        days = date_range(query.filters.get("date_range"))
        speakers, degraded = await self._speakers(tenant_id, query.dataset_ids)
        wanted = candidates(speakers, max(LEAST_CANDIDATES, CANDIDATES_PER_PASSAGE * query.top_k))
        quoted = await self._spread.within(tenant_id, wanted, days)
        more = await self._spread.spread(tenant_id, query.dataset_ids, 2 * query.top_k, days)
        asked = list(dict.fromkeys([*quoted, *more]))
        reading = await self._chunks.read(tenant_id, asked, query.dataset_ids or ())
        found = {chunk.position: chunk for chunk in reading.chunks}
        allowed = {position: found[position] for position in quoted if position in found}
        chosen = answer_broadly(speakers, allowed, [found[at] for at in more if at in found], query.top_k)
        answered = len({one.community for one in chosen} - {""})
        return Retrieval(
            [_passage(one) for one in chosen],
            _notices(chosen, answered),
            reading.version.version,
            degraded=degraded,
            communities_found=answered,
        )

    async def _speakers(self, tenant_id: str, dataset_ids: Sequence[str] | None) -> tuple[Sequence[Speaker], bool]:
        """The communities of the data sets, and whether some could not be read."""
        asked = dataset_ids if dataset_ids is not None else await self._spread.datasets(tenant_id)
        room = asyncio.Semaphore(AT_ONCE)

        async def of(dataset_id: str) -> Sequence[Speaker]:
            async with room:
                return await self._of_dataset(tenant_id, dataset_id)

        found = await asyncio.gather(*map(of, dict.fromkeys(asked)), return_exceptions=True)
        failed = [one for one in found if isinstance(one, BaseException)]
        for error in failed:
            if not isinstance(error, StoreUnavailable):
                raise error
        return [speaker for one in found if not isinstance(one, BaseException) for speaker in one], bool(failed)

    async def _of_dataset(self, tenant_id: str, dataset_id: str) -> Sequence[Speaker]:
        key = tenant_id, dataset_id
        version = await self._graphs.version(tenant_id, dataset_id)
        known = self._known.get(key)
        if known is not None and known[0] == version and time.monotonic() < known[1] + REMEMBERED_SECONDS:
            self._known.move_to_end(key)
            return known[2]
        communities = await self._graphs.communities(tenant_id, dataset_id) if version else ()
        speakers = speakers_of(dataset_id, communities)
        if speakers:  # none may mean: not yet
            self._known[key] = version, time.monotonic(), speakers
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return speakers


class BroadFirst:
    """A `Retriever` that answers broad questions from the communities, and leaves all others to another one."""

    def __init__(self, broad: BroadSearch, others: Retriever) -> None:
        self._broad = broad
        self._others = others

    async def retrieve(self, tenant_id: str, query: RetrievalQuery) -> Retrieval:
        """See `Retriever`."""
        found = await self._broad.search(tenant_id, query)
        return found if found is not None else await self._others.retrieve(tenant_id, query)


def speakers_of(dataset_id: str, communities: Sequence[Community]) -> Sequence[Speaker]:
    """The largest quoted communities of the coarsest levels; ids are made the data set's own."""
    quoted = [community for community in communities if community.level < LEVELS and community.sentences]
    quoted.sort(key=lambda community: (community.level, -len(community.members), community.id))
    return [
        Speaker(
            id=f"{dataset_id}/{community.id}",
            size=len(community.members),
            level=community.level,
            parent=f"{dataset_id}/{community.parent}" if community.parent else "",
            positions=list(dict.fromkeys(sentence.position for sentence in community.sentences)),
        )
        for community in quoted[:MOST_COMMUNITIES]
    ]


def candidates(speakers: Sequence[Speaker], number: int) -> list[int]:
    """At most `number` positions, those of the highest worth first."""
    worth: dict[int, float] = {}
    for value, position, _ in _offers(speakers):
        worth[position] = max(value, worth.get(position, 0.0))
    return sorted(worth, key=lambda position: (-worth[position], position))[:number]


def answer_broadly(
    speakers: Sequence[Speaker], quoted: Mapping[int, StoredChunk], more: Sequence[StoredChunk], number: int
) -> list[Chosen]:
    """At most `number` chunks: those of the largest communities, turn by turn, spread over documents; then `more`.

    `quoted` are the chunks of communities by position, as they are now.
    """
    parents = {speaker.id: speaker.parent for speaker in speakers}
    offers = [(value, quoted[at], speaker) for value, at, speaker in _offers(speakers) if at in quoted]
    chosen: list[Chosen] = []
    while offers and len(chosen) < number:
        weighed = [
            (value * _share(chunk, speaker, chosen, parents), chunk, speaker) for value, chunk, speaker in offers
        ]
        value, chunk, speaker = max(weighed, key=lambda offer: (offer[0], -offer[1].position))
        chosen.append(Chosen(chunk, round(value, 4), speaker.id))
        offers = [offer for offer in offers if offer[1].position != chunk.position]
    return [*chosen, *_further(chosen, more, number - len(chosen))]


def _offers(speakers: Sequence[Speaker]) -> list[tuple[float, int, Speaker]]:
    """What each quoted chunk of each community is worth (0-1) before any is chosen."""
    largest = max((speaker.size for speaker in speakers), default=1)
    return [
        (
            math.log1p(speaker.size) / math.log1p(largest) * LATER_SHARE**place * FINER_SHARE**speaker.level,
            position,
            speaker,
        )
        for speaker in speakers
        for place, position in enumerate(speaker.positions)
    ]


def _share(chunk: StoredChunk, speaker: Speaker, chosen: Sequence[Chosen], parents: Mapping[str, str]) -> float:
    """What is left (0-1) of a chunk's worth beside those that are chosen; parent and child count as one community."""
    share = 1.0
    for one in chosen:
        if one.chunk.document_id == chunk.document_id:
            share *= SAME_DOCUMENT_SHARE
        if speaker.id in (one.community, parents.get(one.community)) or speaker.parent == one.community:
            share *= SAME_COMMUNITY_SHARE
    return share


def _further(chosen: Sequence[Chosen], more: Sequence[StoredChunk], number: int) -> list[Chosen]:
    """Chunks that no community speaks of, those of documents first that have not been heard."""
    taken = {one.chunk.position for one in chosen}
    heard = {one.chunk.document_id for one in chosen}
    rest = sorted((chunk for chunk in more if chunk.position not in taken), key=lambda c: c.document_id in heard)
    score = min([SPREAD_SCORE, *(one.score for one in chosen)])
    return [Chosen(chunk, round(score * 0.98**place, 4), "") for place, chunk in enumerate(rest[: max(number, 0)])]


def _notices(chosen: Sequence[Chosen], answered: int) -> list[str]:
    if not chosen:
        return ["no_documents"]
    return [] if answered else ["communities_not_available"]


def _passage(chosen: Chosen) -> Passage:
    chunk = chosen.chunk
    return Passage(
        id=chunk.id,
        document_id=chunk.document_id,
        dataset_id=chunk.dataset_id,
        title=chunk.title,
        heading=chunk.heading,
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        language=chunk.language,
        score=chosen.score,
        source="community",
    )
