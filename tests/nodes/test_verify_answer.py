from __future__ import annotations

import pytest

from nodes.verify_answer import INLINE_PASSAGES, verify_answer
from tests.nodes.rehearsal import Rehearsal, passage

HARBOUR = passage("Lowick harbour was built in 1874 by the engineer Ada Merrow. Its pier is long.")
TEA = passage("龙井茶产于浙江杭州西湖一带。龙井茶属于绿茶。", 2)


async def test_a_sentence_is_carried_by_a_verbatim_quote_of_its_passage() -> None:
    answer = "Lowick harbour was built in 1874 [1]. 龙井茶产于浙江杭州[2]。"
    update = await verify_answer({"answer": answer, "passages": [HARBOUR, TEA]}, Rehearsal().context())
    assert update["unsupported"] == []
    assert [citation.id for citation in update["citations"]] == ["1", "2"]
    for citation, source in zip(update["citations"], (HARBOUR, TEA), strict=True):
        assert citation.sentence in answer
        at = citation.start - source.start
        assert source.text[at : at + len(citation.quote)] == citation.quote
        assert citation.document_id == source.document_id


async def test_a_sentence_that_rests_on_nothing_is_marked_with_its_place() -> None:
    answer = "Lowick harbour was built in 1874 [1]. The moon is made of green cheese [1]."
    update = await verify_answer({"answer": answer, "passages": [HARBOUR]}, Rehearsal().context())
    (loose,) = update["unsupported"]
    assert answer[loose.start : loose.end] == loose.sentence
    assert "moon" in loose.sentence
    assert len(update["citations"]) == 1


async def test_a_wrong_marker_is_corrected_by_the_passage_that_carries_the_sentence() -> None:
    answer = "Lowick harbour was built in 1874 by the engineer Ada Merrow [2]."
    update = await verify_answer({"answer": answer, "passages": [HARBOUR, TEA]}, Rehearsal().context())
    assert [citation.id for citation in update["citations"]] == ["1"]


@pytest.mark.parametrize("answer", ["", "  ", "Is that what you meant?", "Here is what I found:", "[1] …"])
async def test_what_claims_nothing_is_not_marked(answer: str) -> None:
    update = await verify_answer({"answer": answer, "passages": [HARBOUR]}, Rehearsal().context())
    assert (update["citations"], update["unsupported"]) == ([], [])


async def test_without_passages_nothing_is_verified() -> None:
    update = await verify_answer({"answer": "The moon is far."}, Rehearsal().context())
    assert update == {"citations": [], "unsupported": []}


async def test_many_passages_give_what_few_give() -> None:
    others = [passage(f"Nothing of note happened in the year {n}.", n + 3) for n in range(INLINE_PASSAGES)]
    state = {"answer": "Lowick harbour was built in 1874 [1].", "passages": [HARBOUR]}
    few = await verify_answer(state, Rehearsal().context())  # type: ignore[arg-type]
    many = await verify_answer({**state, "passages": [HARBOUR, *others]}, Rehearsal().context())  # type: ignore[arg-type]
    assert many["citations"] == few["citations"]


async def test_only_the_part_that_speaks_of_documents_is_held_against_them() -> None:
    opening, claim = "Sorry for the trouble.\n\n", "The moon is made of cheese."
    offer = "\n\nThe care team is in Leeds."
    answer = f"{opening}Lowick harbour was built in 1874 [1]. {claim}{offer}"
    claims = len(opening), len(answer) - len(offer)
    state = {"answer": answer, "passages": [HARBOUR], "claims": claims}
    update = await verify_answer(state, Rehearsal().context())  # type: ignore[arg-type]
    (loose,) = update["unsupported"]
    assert (loose.sentence, answer[loose.start : loose.end]) == (claim, claim)
    assert len(update["citations"]) == 1
