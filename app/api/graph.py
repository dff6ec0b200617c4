"""The knowledge graph of a data set, for looking at: entities, relations, communities, and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.api.chat import Caller, Parts
from app.api.knowledge import OwnedDataset
from app.errors import responses
from tools.knowledge.extraction.types import entity_name, entity_type, relation_name, relation_type
from tools.knowledge.graph.view import GraphPart, Said, SpokenOf
from tools.stores.graph_protocol import Community, GraphEdge, GraphEntity

router = APIRouter(prefix="/api/v1/knowledge/graph", tags=["knowledge"])

MAX_NODES = 5_000
Language = Annotated[Literal["en", "zh"], Query(description="Language of `label`.")]
Name = Annotated[str, Query(min_length=1, max_length=200, description="An entity's `id` or one of its names.")]


class Node(BaseModel):
    """An entity. `type` is "" where nothing tells it, `mentions` counts the passages about or mentioning it."""

    id: str
    name: str
    type: str
    label: str
    confidence: float
    mentions: int
    aliases: Sequence[str]
    community: str | None


class Edge(BaseModel):
    """A relation, read from `source` to `target`; `confidence` is 0 where the two only stand together."""

    source: str
    target: str
    relation: str
    label: str
    confidence: float
    evidence: int


class CommunityOut(BaseModel):
    """Entities that belong together; `level` 0 is the coarsest. `size` counts those shown here."""

    id: str
    level: int
    parent: str | None
    size: int
    summary: str


class GraphOut(BaseModel):
    """A part of the graph. `complete` is false where the limit cut it, `degraded` true where it is behind."""

    dataset_id: str
    graph_version: int
    nodes: list[Node]
    edges: list[Edge]
    communities: list[CommunityOut]
    complete: bool
    degraded: bool


class PassageOut(BaseModel):
    """A passage of a document: `text` stands at `start`-`end` (characters, end exclusive)."""

    document_id: str
    title: str
    page: int | None
    start: int
    end: int
    text: str


class MentionOut(PassageOut):
    """A passage that mentions an entity, at `mention_start`-`mention_end`."""

    mention_start: int
    mention_end: int


class MentionsOut(BaseModel):
    """Passages that mention an entity."""

    items: list[MentionOut]


class EvidenceOut(BaseModel):
    """A sentence that says how two entities relate, where it stands, and how sure its finder is."""

    source: str
    target: str
    relation: str
    label: str
    confidence: float
    sentence: str
    document_id: str
    title: str
    page: int | None
    start: int
    end: int
    extractor: str


class EvidenceList(BaseModel):
    """Sentences, the surest first."""

    items: list[EvidenceOut]


@router.get("/{dataset_id}", responses=responses(401, 403, 404, 422, 503))
async def read_graph(
    dataset: OwnedDataset,
    caller: Caller,
    app: Parts,
    q: Annotated[str, Query(max_length=200, description="Names to look for; the part shown is around them.")] = "",
    hops: Annotated[int, Query(ge=0, le=3)] = 1,
    limit: Annotated[int, Query(ge=1, le=MAX_NODES, description="Entities at most.")] = 300,
    language: Language = "en",
) -> GraphOut:
    """A part of the graph: around the entities that `q` names, without it the most mentioned ones."""
    part = await app.graph_view.part(caller.tenant_id, dataset.id, q, hops, limit)
    return _graph(dataset.id, part, language)


@router.get("/{dataset_id}/passages", responses=responses(401, 403, 404, 422, 503))
async def read_passages(
    dataset: OwnedDataset,
    caller: Caller,
    app: Parts,
    entity: Name,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> MentionsOut:
    """Passages that mention an entity."""
    found = await app.graph_view.passages(caller.tenant_id, dataset.id, entity, limit)
    return MentionsOut(items=[_mention(one) for one in found])


@router.get("/{dataset_id}/evidence", responses=responses(401, 403, 404, 422, 503))
async def read_evidence(
    dataset: OwnedDataset,
    caller: Caller,
    app: Parts,
    source: Name,
    target: Name,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
    language: Language = "en",
) -> EvidenceList:
    """Sentences that say how two entities relate, in either direction."""
    found = await app.graph_view.sentences(caller.tenant_id, dataset.id, source, target, limit)
    return EvidenceList(items=[_evidence(one, language) for one in found])


def _graph(dataset_id: str, part: GraphPart, language: str) -> GraphOut:
    found = part.neighbourhood
    return GraphOut(
        dataset_id=dataset_id,
        graph_version=found.version,
        nodes=[_node(entity, found.community_of.get(entity.norm), language) for entity in found.entities],
        edges=[_edge(edge, language) for edge in found.edges],
        communities=[_community(community) for community in part.communities],
        complete=found.complete,
        degraded=part.behind,
    )


def _node(entity: GraphEntity, community: str | None, language: str) -> Node:
    return Node(
        id=entity.norm,
        name=entity.name,
        type=entity.type,
        label=entity_name(kind, language) if (kind := entity_type(entity.type)) else "",
        confidence=entity.type_confidence,
        mentions=entity.df,
        aliases=entity.aliases,
        community=community,
    )


def _edge(edge: GraphEdge, language: str) -> Edge:
    return Edge(
        source=edge.head,
        target=edge.tail,
        relation=edge.relation,
        label=_relation(edge.relation, language),
        confidence=edge.confidence,
        evidence=edge.evidence,
    )


def _community(community: Community) -> CommunityOut:
    return CommunityOut(
        id=community.id,
        level=community.level,
        parent=community.parent or None,
        size=len(community.members),
        summary=community.summary,
    )


def _mention(one: SpokenOf) -> MentionOut:
    chunk = one.chunk
    return MentionOut(
        document_id=chunk.document_id,
        title=chunk.title,
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        mention_start=one.start,
        mention_end=one.end,
    )


def _evidence(one: Said, language: str) -> EvidenceOut:
    return EvidenceOut(
        source=one.head,
        target=one.tail,
        relation=one.relation,
        label=_relation(one.relation, language),
        confidence=one.confidence,
        sentence=one.sentence,
        document_id=one.chunk.document_id,
        title=one.chunk.title,
        page=one.chunk.page,
        start=one.start,
        end=one.end,
        extractor=one.extractor,
    )


def _relation(relation: str, language: str) -> str:
    kind = relation_type(relation)
    return relation_name(kind, language) if kind else relation
