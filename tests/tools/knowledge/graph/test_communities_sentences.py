from __future__ import annotations

import pytest

from tools.knowledge.graph.communities_sentences import SentencePicker
from tools.stores.following_protocol import ChunkText
from tools.stores.graph_protocol import Sentence

TEA = [
    "Green tea is grown on the hills of Hangzhou in spring. The tea leaves are roasted by hand in iron pans. Hello!",
    "Roasted tea leaves from Hangzhou keep their green colour for a year. Buses leave every hour from the station.",
    "In spring the farmers of Hangzhou pick the youngest green tea leaves. Is it always so?",
]
SHIPS = [
    "The ferry crosses the sound in forty minutes and carries cars. The ferry was built in a yard at Lowick.",
    "Ferry tickets are sold at the harbour of Lowick and on board the ferry itself.",
]
ZH = [
    "龙井茶产于浙江杭州西湖一带，已有一千二百余年历史。炒制龙井茶要用手在铁锅里翻炒。",
    "杭州的茶农在清明节前采摘龙井茶的嫩芽。公共汽车每小时一班，末班车晚上十点。",
]


def chunks(texts: list[str], first: int = 1, start: int = 100) -> list[ChunkText]:
    return [ChunkText(first + n, f"d{first + n}", start * n, text) for n, text in enumerate(texts)]


def said(sentences: list[Sentence], of: list[ChunkText]) -> list[str]:
    at = {chunk.position: chunk for chunk in of}
    return [at[s.position].text[s.start - at[s.position].start : s.end - at[s.position].start] for s in sentences]


@pytest.mark.parametrize(("texts", "common"), [(TEA, "Hangzhou"), (ZH, "龙井茶")])
def test_the_best_sentence_speaks_of_what_the_chunks_share(texts: list[str], common: str) -> None:
    own, others = chunks(texts), chunks(SHIPS, first=50)
    picked = said(SentencePicker([*own, *others]).pick([chunk.position for chunk in own]), own)
    assert common in picked[0]
    assert not any(word in picked[0] for word in ("Buses", "公共汽车"))


def test_offsets_are_those_of_the_document() -> None:
    own = chunks(TEA)
    for sentence in SentencePicker(own).pick([1, 2, 3]):
        chunk = own[sentence.position - 1]
        assert chunk.start <= sentence.start < sentence.end <= chunk.start + len(chunk.text)
        assert chunk.text[sentence.end - chunk.start - 1] in ".?!。"


def test_sentences_come_from_different_chunks_first() -> None:
    picked = SentencePicker(chunks(TEA)).pick([1, 2, 3], most=3)
    assert len({sentence.position for sentence in picked}) == 3


def test_nothing_is_said_twice() -> None:
    own = chunks([TEA[0], TEA[0], TEA[0], TEA[1]])
    picked = said(SentencePicker(own).pick([1, 2, 3, 4]), own)
    assert len(picked) == len(set(picked)) >= 3


def test_scraps_and_unknown_chunks_are_left_out() -> None:
    own = chunks(["Hello!\n\nYes.", *TEA])
    picked = said(SentencePicker(own).pick([1, 99]), own)
    assert picked == []


def test_the_same_chunks_give_the_same_sentences() -> None:
    own = chunks([*TEA, *SHIPS, *ZH])
    assert SentencePicker(own).pick([1, 2, 3, 4, 5]) == SentencePicker(own).pick([1, 2, 3, 4, 5])
