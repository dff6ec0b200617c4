"""What a user comes back to, from turns as they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.memory.profile import MOST_INTERESTS, MOST_TURNS, RECENT_TURNS, Profile, ProfileBuilder
from tools.stores.histories_protocol import PastTurn, Quote, QuotedExtraction

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Name:
    norm: str
    text: str
    type: str = "person"


@dataclass
class Histories:
    """Turns that are there, newest first; asked for at most so many."""

    given: Sequence[PastTurn]
    asked: list[int] = field(default_factory=list[int])

    async def turns(self, tenant_id: str, user_id: str, limit: int) -> Sequence[PastTurn]:
        self.asked.append(limit)
        return self.given

    async def extractions(self, tenant_id: str, quotes: Sequence[Quote]) -> Sequence[QuotedExtraction]:
        return []


class NamesByDocument:
    """Each document's quotes name what the test says."""

    def __init__(self, **names: Sequence[Name]) -> None:
        self._names = names
        self.asked: list[Quote] = []

    async def names(self, tenant_id: str, quotes: Sequence[Quote]) -> Sequence[Sequence[Name]]:
        self.asked += quotes
        return [self._names.get(quote.document_id, []) for quote in quotes]


def turn(days: float, message: str = "", *documents: str, title: str = "") -> PastTurn:
    citations: list[dict[str, Any]] = [
        {"document_id": id_, "title": title or f"About {id_}", "start": 0, "end": 9} for id_ in documents
    ]
    return PastTurn(f"turn_{days}", (NOW - timedelta(days=days)).isoformat(), message, citations)


async def profile(turns: Sequence[PastTurn], names: NamesByDocument | None = None) -> Profile:
    return await ProfileBuilder(Histories(turns), names or NamesByDocument()).build("t", "u")


async def test_who_has_said_nothing_has_no_interests() -> None:
    assert await profile([]) == Profile([], [], 0)


async def test_names_documents_and_words_are_counted_by_turn_and_dated() -> None:
    names = NamesByDocument(a=[Name("ada merrow", "Ada Merrow")])
    found = await profile([turn(1, "The tide?", "a", "a"), turn(2, "A tide", "a"), turn(3, "Hello")], names)
    told = {(one.kind, one.name, one.type, one.count, one.last_seen) for one in found.interests}
    newest = (NOW - timedelta(days=1)).isoformat()
    assert told == {
        ("entity", "Ada Merrow", "person", 2, newest),
        ("document", "About a", "", 2, newest),
        ("word", "tide", "", 2, newest),
    }
    assert found.turns == 3


async def test_a_quote_is_looked_up_once_however_often_it_is_cited() -> None:
    names = NamesByDocument()
    await profile([turn(1, "x", "a", "b"), turn(2, "y", "a")], names)
    assert sorted(names.asked) == [Quote("a", 0, 9), Quote("b", 0, 9)]


async def test_the_commonest_spelling_is_the_name() -> None:
    class Spelled(NamesByDocument):
        async def names(self, tenant_id: str, quotes: Sequence[Quote]) -> Sequence[Sequence[Name]]:
            return [[Name("ada merrow", "A. Merrow" if quote.document_id == "c" else "Ada Merrow")] for quote in quotes]

    found = await profile([turn(1, "x", "a"), turn(2, "y", "b"), turn(3, "z", "c")], Spelled())
    (entity,) = [one for one in found.interests if one.kind == "entity"]
    assert (entity.name, entity.count) == ("Ada Merrow", 3)


async def test_what_lasts_comes_first_in_interests_and_what_is_new_in_topics() -> None:
    old = [turn(200 + n, "x", "old") for n in range(4)]
    steady = [turn(10 + n, "x", "steady") for n in range(3)]
    found = await profile([turn(0, "x", "new"), *steady, *old])
    assert [one.name for one in found.interests] == ["About steady", "About new", "About old"]
    assert [one.name for one in found.recent_topics] == ["About new", "About steady", "About old"]


async def test_topics_are_those_of_the_latest_turns() -> None:
    idle = [turn(n) for n in range(RECENT_TURNS)]
    found = await profile([*idle, turn(50, "x", "old")])
    assert [one.name for one in found.interests] == ["About old"]
    assert found.recent_topics == []


async def test_a_word_that_a_name_holds_is_not_told_twice() -> None:
    names = NamesByDocument(a=[Name("lowick harbour", "Lowick Harbour", "location"), Name("龙井茶", "龙井茶")])
    turns = [turn(1, "the harbours 龙井茶 tide", "a"), turn(2, "the harbour 龙井茶 tide")]
    found = await profile(turns, names)
    assert {one.name for one in found.interests if one.kind == "word"} == {"tide"}


async def test_there_is_an_end_to_what_is_told_and_read() -> None:
    histories = Histories([turn(n, "x", f"d{n}") for n in range(40)])
    found = await ProfileBuilder(histories, NamesByDocument()).build("t", "u")
    assert len(found.interests) == MOST_INTERESTS
    assert histories.asked == [MOST_TURNS]


async def test_a_document_without_a_title_is_no_interest() -> None:
    citation = {"document_id": "a", "title": "", "start": 0, "end": 1}
    found = await profile([PastTurn("t1", NOW.isoformat(), "x", [citation])])
    assert found.interests == []
