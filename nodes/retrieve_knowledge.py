"""Find the passages the answer may rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from nodes.context import TurnContext
from nodes.events import Refs, reference_to
from nodes.query import query_of
from tools.intent.protocol import Intent
from tools.knowledge.protocol import Passage, RetrievalQuery


class RetrieveKnowledgeInput(TypedDict):
    """The message as screened, and what it asks for."""

    question: str
    intent: NotRequired[Intent]


class RetrieveKnowledgeUpdate(TypedDict, total=False):
    """`passages`, best first; the one at place n is cited as `[n + 1]`."""

    passages: Sequence[Passage]


async def retrieve_knowledge(state: RetrieveKnowledgeInput, context: TurnContext) -> RetrieveKnowledgeUpdate:
    """Retrieve the passages nearest to the message from the tenant's knowledge."""
    turn, intent = context.turn, state.get("intent")
    query = RetrievalQuery(
        text=query_of(state["question"]),
        top_k=turn.options.top_k,
        dataset_ids=turn.options.dataset_ids,
        search_type="hybrid" if turn.options.use_graph_rag else "vector",
        asked_broadly=intent is not None and intent.label == "broad_question",
    )
    retrieval = await context.services.retriever.retrieve(turn.tenant_id, query)
    context.emit(Refs(references=[reference_to(str(n), p) for n, p in enumerate(retrieval.passages, start=1)]))
    return {"passages": retrieval.passages}
