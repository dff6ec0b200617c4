from __future__ import annotations

from nodes.events import Refs
from nodes.query import query_of
from nodes.retrieve_knowledge import retrieve_knowledge
from nodes.turn import TurnOptions
from tests.nodes.rehearsal import Rehearsal, passage
from tools.intent.protocol import Intent
from tools.knowledge.protocol import RetrievalQuery


async def test_references_are_numbered_and_quote_their_passages() -> None:
    passages = [passage("Built in 1874."), passage("412 metres long.", 2)]
    stage = Rehearsal(passages)
    assert (await retrieve_knowledge({"question": "When?"}, stage.context()))["passages"] == passages
    (refs,) = stage.said
    assert isinstance(refs, Refs)
    assert [(r.id, r.quote, r.start, r.end, r.page) for r in refs.references] == [
        ("1", "Built in 1874.", 10, 24, 1),
        ("2", "412 metres long.", 10, 26, 2),
    ]


async def test_the_client_s_options_reach_the_retriever() -> None:
    stage = Rehearsal()
    options = TurnOptions(top_k=3, dataset_ids=("tea",), use_graph_rag=False)
    await retrieve_knowledge({"question": "x" * 5_000}, stage.context(options=options))
    expected = RetrievalQuery(query_of("x" * 5_000), top_k=3, dataset_ids=("tea",), search_type="vector")
    assert stage.asked == [("t", expected)]


async def test_nothing_found_is_said_too() -> None:
    stage = Rehearsal()
    await retrieve_knowledge({"question": "When?"}, stage.context())
    assert stage.said == [Refs(references=[])]


async def test_a_broad_intent_is_told_to_the_retriever_and_no_other() -> None:
    stage = Rehearsal()
    for label in ("broad_question", "knowledge_question", "causal_question", "task", "out_of_scope"):
        await retrieve_knowledge({"question": "…", "intent": Intent(label, 1, "ml")}, stage.context())  # type: ignore[arg-type]
    assert [query.asked_broadly for _, query in stage.asked] == [True, False, False, False, False]
