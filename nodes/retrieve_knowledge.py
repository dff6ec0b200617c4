"""Find the passages the answer may rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from nodes.context import TurnContext
from nodes.events import Refs, reference_to
from tools.knowledge.protocol import Passage, RetrievalQuery

MAX_QUERY_CHARS = 2_000
"""A longer message is searched by its beginning."""


class RetrieveKnowledgeInput(TypedDict):
    """The message as screened."""

    question: str


class RetrieveKnowledgeUpdate(TypedDict, total=False):
    """`passages`, best first; the one at place n is cited as `[n + 1]`."""

    passages: Sequence[Passage]


async def retrieve_knowledge(state: RetrieveKnowledgeInput, context: TurnContext) -> RetrieveKnowledgeUpdate:
    """Retrieve the passages nearest to the message from the tenant's knowledge."""
    turn = context.turn
    query = RetrievalQuery(
        text=state["question"][:MAX_QUERY_CHARS],
        top_k=turn.options.top_k,
        dataset_ids=turn.options.dataset_ids,
        search_type="hybrid" if turn.options.use_graph_rag else "vector",
    )
    retrieval = await context.services.retriever.retrieve(turn.tenant_id, query)
    context.emit(Refs(references=[reference_to(str(n), p) for n, p in enumerate(retrieval.passages, start=1)]))
    return {"passages": retrieval.passages}
