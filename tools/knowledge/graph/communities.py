"""Keeps each data set's communities abreast of its graph: who belongs together, and the sentences that say so.

Finding them takes seconds of one core on large graphs, and igraph holds the interpreter's lock for all of them, so
it is done in a child process of low priority; small ones, which take milliseconds, in a thread. No step here keeps
the event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import orjson
import structlog

from tools.knowledge.graph.communities_partition import Linked, Partition
from tools.knowledge.graph.communities_work import STEPS, Step
from tools.stores.following_protocol import ChunkText, Outbox
from tools.stores.graph_protocol import Community, GraphEntity, GraphRows, GraphStore, Sentence

log = structlog.get_logger(__name__)

CHILD = "tools.knowledge.graph.communities_child"
TIMEOUT_SECONDS = 300.0
MEMORY_BYTES = 4 * 2**30
TEXTS_AT_A_TIME = 256
INLINE_BYTES = 2**16
"""Requests up to this are not worth a process: about 2,000 mentions, or 60 chunks."""
LIKE_BEFORE = 0.8
"""A community keeps its model's summary while it shares this much of its members (Jaccard) with what it was."""
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}


class CommunityFailure(Exception):
    """The child did not answer: it ran out of time or memory, or broke."""


class CommunityBuilder:
    """Finds communities anew when a graph has changed; one data set at a time."""

    def __init__(
        self,
        graph_store: GraphStore,
        outbox: Outbox,
        timeout_seconds: float = TIMEOUT_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
        inline_bytes: int = INLINE_BYTES,
        child: str = CHILD,
    ) -> None:
        """`timeout_seconds` bounds each of the child's two steps, `memory_bytes` its address space."""
        self._inline = inline_bytes
        self._graphs = graph_store
        self._outbox = outbox
        self._timeout = timeout_seconds
        self._memory = memory_bytes
        self._child = child
        self._kept: dict[tuple[str, str], tuple[int, int]] = {}
        self._turn = asyncio.Lock()

    async def refresh(self, tenant_id: str, dataset_id: str) -> bool:
        """Make the communities those of the graph as it is; True when they are.

        False when the graph has moved on meanwhile, or when they cannot be found (which is logged, and tried again
        with the next call): then the former ones stay. Nothing is done where they are of this version already.

        Raises:
            StoreUnavailable: a store refuses.
        """
        async with self._turn:
            if await self._are_kept(tenant_id, dataset_id):
                return True
            rows = await self._graphs.read(tenant_id, dataset_id)
            try:
                found = await self._found(tenant_id, dataset_id, rows)
            except CommunityFailure as failure:
                log.warning("communities.failed", tenant=tenant_id, dataset=dataset_id, reason=str(failure))
                return False
            former = {community.id: community for community in await self._graphs.communities(tenant_id, dataset_id)}
            found = [_with_summary(community, former.get(community.id)) for community in found]
            kept = await self._graphs.keep_communities(tenant_id, dataset_id, rows.version, found)
            if kept:
                self._kept[tenant_id, dataset_id] = rows.version, len(found)
            return kept

    async def _are_kept(self, tenant_id: str, dataset_id: str) -> bool:
        """Whether they were found here for this version, and the graph has not been dropped and built anew since."""
        version = await self._graphs.version(tenant_id, dataset_id)
        known = self._kept.get((tenant_id, dataset_id))
        if version == 0:
            self._kept.pop((tenant_id, dataset_id), None)
            return True
        if known is None or known[0] != version:
            return False
        return (await self._graphs.counts(tenant_id, dataset_id)).get("communities", 0) == known[1]

    async def _found(self, tenant_id: str, dataset_id: str, rows: GraphRows) -> list[Community]:
        grouping = await asyncio.to_thread(group, rows.entities)
        request = await asyncio.to_thread(_packed, rows, grouping)
        partition = await asyncio.to_thread(_unpacked, await self._done("partition", request))
        standing = await asyncio.to_thread(_standing, rows, partition)
        texts = await self._texts(tenant_id, dataset_id, sorted({at for places in standing for at in places}))
        asked = await asyncio.to_thread(_asked, texts, standing)
        picked = await asyncio.to_thread(orjson.loads, await self._done("pick", asked)) if texts else []
        return await asyncio.to_thread(_assembled, grouping, partition, picked)

    async def _texts(self, tenant_id: str, dataset_id: str, positions: Sequence[int]) -> list[ChunkText]:
        """The chunks at these positions that are there, read in pages from one wanted chunk to the next."""
        wanted = set(positions)
        found: list[ChunkText] = []
        reached = -1
        for position in positions:
            if position <= reached:
                continue
            page = await self._outbox.texts(tenant_id, dataset_id, position - 1, TEXTS_AT_A_TIME)
            found += [chunk for chunk in page if chunk.position in wanted]
            reached = page[-1].position if page else position
        return found

    async def _done(self, step: Step, request: bytes) -> bytes:
        """The step's answer. Raises CommunityFailure."""
        if len(request) <= self._inline:
            return await asyncio.to_thread(STEPS[step], request)
        return await self._ask(step, request)

    async def _ask(self, step: Step, request: bytes) -> bytes:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._child,
            step,
            str(self._memory),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": ":".join(filter(None, sys.path)), **_ALONE},
        )
        try:
            async with asyncio.timeout(self._timeout):
                answer, _ = await child.communicate(request)
        except TimeoutError:
            raise CommunityFailure(f"no answer to {step} within {self._timeout:g} seconds") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode != 0 or not answer:
            raise CommunityFailure(f"{step} ended with {child.returncode}")
        return answer


@dataclass(frozen=True)
class Grouping:
    """Entities that are one by their aliases: `group_of` is the group of each, `norms` the name of each group.

    `others` holds the further norms of groups that have some. Groups stand in the order of their names.
    """

    group_of: Sequence[int]
    norms: Sequence[str]
    others: Mapping[int, Sequence[str]]


def group(entities: Sequence[GraphEntity]) -> Grouping:
    """Each entity with those that are merged into it."""
    place_of = {entity.norm: place for place, entity in enumerate(entities)}
    target_of = [place_of.get(entity.merged_into, place) for place, entity in enumerate(entities)]
    alone = [target == place or target_of[target] != target for place, target in enumerate(target_of)]
    number_of = {place: number for number, place in enumerate(place for place, own in enumerate(alone) if own)}
    others: dict[int, list[str]] = {}
    groups: list[int] = []
    for place, target in enumerate(target_of):
        groups.append(number_of[place if alone[place] else target])
        if not alone[place]:
            others.setdefault(groups[-1], []).append(entities[place].norm)
    return Grouping(groups, [entities[place].norm for place in number_of], others)


def community_id(level: int, centre: str) -> str:
    """Named by its level and its best connected member, so that it stays the same when others come and go."""
    return hashlib.blake2b(f"{level}\0{centre}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _packed(rows: GraphRows, grouping: Grouping) -> bytes:
    linked = Linked(
        np.asarray(grouping.group_of, dtype=np.int32),
        rows.chunk_documents,
        rows.subjects,
        rows.mention_chunks,
        rows.mention_entities,
        rows.edge_heads,
        rows.edge_tails,
        rows.edge_confidences,
    )
    packed = io.BytesIO()
    np.savez(packed, **asdict(linked))
    return packed.getvalue()


def _unpacked(answer: bytes) -> Partition:
    with np.load(io.BytesIO(answer), allow_pickle=False) as arrays:
        return Partition(**{name: arrays[name] for name in arrays.files})


def _standing(rows: GraphRows, partition: Partition) -> list[list[int]]:
    """For each community the positions of the chunks that stand for it, best first."""
    standing: list[list[int]] = [[] for _ in partition.levels]
    positions = rows.positions[partition.chunks].tolist()
    for owner, position in zip(partition.chunk_owners.tolist(), positions, strict=True):
        standing[owner].append(position)
    return standing


def _asked(texts: Sequence[ChunkText], standing: Sequence[Sequence[int]]) -> bytes:
    return orjson.dumps({"texts": [tuple(chunk) for chunk in texts], "communities": standing})


def _assembled(grouping: Grouping, partition: Partition, picked: Sequence[Sequence[Sequence[int]]]) -> list[Community]:
    members: list[list[str]] = [[] for _ in partition.levels]
    for row in partition.members:
        for number, community in enumerate(row.tolist()):
            if community >= 0:
                members[community] += [grouping.norms[number], *grouping.others.get(number, ())]
    levels, centres = partition.levels.tolist(), partition.centres.tolist()
    ids = [community_id(levels[number], grouping.norms[int(centres[number])]) for number in range(len(levels))]
    return [
        Community(
            id=ids[number],
            level=int(partition.levels[number]),
            parent=ids[parent] if (parent := int(partition.parents[number])) >= 0 else "",
            members=sorted(members[number]),
            sentences=[Sentence(*place) for place in picked[number]] if picked else (),
        )
        for number in range(len(ids))
    ]


def _with_summary(community: Community, former: Community | None) -> Community:
    """The community with its former summary, where it is much the same and the summary still holds."""
    if former is None or not former.summary or former.level != community.level:
        return community
    mine, others = set(community.members), set(former.members)
    if len(mine & others) < LIKE_BEFORE * len(mine | others):
        return community
    return replace(community, summary=former.summary, rests_on=former.rests_on)
