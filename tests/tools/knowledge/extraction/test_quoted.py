"""Entities are found by where a quote stands in its document."""

from __future__ import annotations

from collections.abc import Sequence

from tools.knowledge.extraction.protocol import EntityType, Extraction, Mention
from tools.knowledge.extraction.quoted import QuotedNames
from tools.knowledge.extraction.stored import to_json
from tools.stores.histories_protocol import PastTurn, Quote, QuotedExtraction


class Extractions:
    """A history of one document: its chunks are told for every quote."""

    def __init__(self, *chunks: tuple[int, str]) -> None:
        self._chunks = chunks

    async def turns(self, tenant_id: str, user_id: str, limit: int) -> Sequence[PastTurn]:
        return []

    async def extractions(self, tenant_id: str, quotes: Sequence[Quote]) -> Sequence[QuotedExtraction]:
        return [QuotedExtraction(place, start, data) for place in range(len(quotes)) for start, data in self._chunks]


def read(*mentions: tuple[int, int, str, EntityType]) -> str:
    found = [Mention(start, end, text, text.lower(), kind, 0.9, "tagger") for start, end, text, kind in mentions]
    return to_json(Extraction(None, found, [], []))


async def test_a_mention_counts_where_it_lies_within_the_quote() -> None:
    chunk = read((0, 3, "Ada", "person"), (10, 16, "Lowick", "location"), (18, 22, "Tarn", "location"))
    names = QuotedNames(Extractions((100, chunk)))
    found = await names.names("t", [Quote("d", 100, 116), Quote("d", 112, 130), Quote("d", 0, 20)])
    assert [[mention.text for mention in of_quote] for of_quote in found] == [["Ada", "Lowick"], ["Tarn"], []]


async def test_dates_and_figures_are_no_subject_and_a_name_counts_once() -> None:
    chunk = read((0, 4, "1874", "time"), (5, 8, "412", "metric"), (9, 12, "Ada", "person"), (13, 16, "ADA", "person"))
    (found,) = await QuotedNames(Extractions((0, chunk), (0, chunk))).names("t", [Quote("d", 0, 50)])
    assert [mention.text for mention in found] == ["Ada"]
