from __future__ import annotations

from nodes.events import Refs
from nodes.retrieve_knowledge import MAX_QUERY_CHARS, retrieve_knowledge
from nodes.turn import TurnOptions
from tests.nodes.rehearsal import Rehearsal, passage
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
    expected = RetrievalQuery("x" * MAX_QUERY_CHARS, top_k=3, dataset_ids=("tea",), search_type="vector")
    assert stage.asked == [("t", expected)]


async def test_nothing_found_is_said_too() -> None:
    stage = Rehearsal()
    await retrieve_knowledge({"question": "When?"}, stage.context())
    assert stage.said == [Refs(references=[])]
