"""What a user comes back to: names that the quoted sentences speak of, documents, and words of the user's own.

Made from what is kept at the moment it is asked for and kept nowhere: what is deleted is gone from it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from tools.memory.subject_words import subject_words
from tools.models.extractive.terms import fold, terms
from tools.stores.histories_protocol import HistoryStore, PastTurn, Quote

MOST_TURNS = 500
"""The newest turns, which a profile is made of."""
RECENT_TURNS = 20
MOST_INTERESTS = 20
MOST_TOPICS = 10
HALF_LIFE_DAYS = 30.0
"""After which an interest counts half, if nothing renews it."""
SECONDS_PER_DAY = 86_400.0

Kind = Literal["entity", "document", "word"]


@dataclass(frozen=True, slots=True)
class Interest:
    """Something that turns were about: how many, and when last. `type` is an entity's, "" for what is none."""

    name: str
    kind: Kind
    type: str
    count: int
    last_seen: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Interests, those that lasted first; recent topics, newest first; and the number of turns behind them."""

    interests: Sequence[Interest]
    recent_topics: Sequence[Interest]
    turns: int


class Named(Protocol):
    """An entity as a quoted sentence names it."""

    @property
    def norm(self) -> str:
        """What its spellings have in common."""
        ...

    @property
    def text(self) -> str:
        """Its spelling."""
        ...

    @property
    def type(self) -> str:
        """What it is."""
        ...


class NamesInQuotes(Protocol):
    """Finds the entities that quoted sentences name."""

    async def names(self, tenant_id: str, quotes: Sequence[Quote]) -> Sequence[Sequence[Named]]:
        """For each quote the entities in it; none where its document is gone."""
        ...


class ProfileBuilder:
    """Builds profiles from histories."""

    def __init__(self, histories: HistoryStore, names: NamesInQuotes) -> None:
        self._histories = histories
        self._names = names

    async def build(self, tenant_id: str, user_id: str) -> Profile:
        """The user's profile as of now; empty for one who has said nothing. Raises StoreUnavailable."""
        turns = await self._histories.turns(tenant_id, user_id, MOST_TURNS)
        quotes = [[_quote(citation) for citation in turn.citations] for turn in turns]
        asked = list(dict.fromkeys(quote for of_turn in quotes for quote in of_turn))
        named = dict(zip(asked, await self._names.names(tenant_id, asked), strict=True))
        entities = [[name for quote in of_turn for name in named[quote]] for of_turn in quotes]
        return await asyncio.to_thread(profile_of, turns, entities)


def profile_of(turns: Sequence[PastTurn], entities: Sequence[Sequence[Named]]) -> Profile:
    """The profile of turns, newest first, with the entities that the quotes of each name."""
    words = subject_words([turn.message for turn in turns])
    touched: dict[tuple[Kind, str], _Touched] = {}
    for place, turn in enumerate(turns):
        for subject in _subjects(turn, entities[place], words[place]):
            touched.setdefault((subject.kind, subject.key), _Touched(subject.kind)).add(place, subject)
    found = _without_named_words(touched)
    days = _days_ago(turns)
    lasting = sorted(found, key=lambda one: -one.weight(days))[:MOST_INTERESTS]
    recent = sorted(found, key=lambda one: (one.places[0], -len(one.places)))[:MOST_TOPICS]
    return Profile(
        [one.as_interest(turns) for one in lasting],
        [one.as_interest(turns) for one in recent if one.places[0] < RECENT_TURNS],
        len(turns),
    )


class _Subject(NamedTuple):
    kind: Kind
    key: str
    spelling: str
    type: str = ""


@dataclass(slots=True)
class _Touched:
    """The turns that something was touched in, newest first, and how it was spelled."""

    kind: Kind
    places: list[int] = field(default_factory=list[int])
    spellings: Counter[str] = field(default_factory=Counter[str])
    types: Counter[str] = field(default_factory=Counter[str])

    def add(self, place: int, subject: _Subject) -> None:
        if not self.places or self.places[-1] != place:
            self.places.append(place)
        self.spellings[subject.spelling] += 1
        self.types[subject.type] += 1

    @property
    def name(self) -> str:
        return self.spellings.most_common(1)[0][0]

    def weight(self, days: Sequence[float]) -> float:
        return sum(0.5 ** (days[place] / HALF_LIFE_DAYS) for place in self.places)

    def as_interest(self, turns: Sequence[PastTurn]) -> Interest:
        type_ = self.types.most_common(1)[0][0]
        return Interest(self.name, self.kind, type_, len(self.places), turns[self.places[0]].at)


def _subjects(turn: PastTurn, entities: Iterable[Named], words: Mapping[str, str]) -> Iterator[_Subject]:
    """All that a turn touched."""
    for name in entities:
        yield _Subject("entity", name.norm, name.text, name.type)
    for citation in turn.citations:
        if citation["title"]:
            yield _Subject("document", citation["document_id"], citation["title"])
    for key, word in words.items():
        yield _Subject("word", key, word)


def _without_named_words(touched: Mapping[tuple[Kind, str], _Touched]) -> Sequence[_Touched]:
    """All but the words that a name or a title holds already."""
    names = " ".join(fold(found.name) for found in touched.values() if found.kind != "word")
    stems = frozenset(terms(names))

    def is_named(key: str) -> bool:
        return key in stems or (not key.isascii() and key in names)

    return [found for (kind, key), found in touched.items() if kind != "word" or not is_named(key)]


def _quote(citation: Mapping[str, Any]) -> Quote:
    return Quote(citation["document_id"], citation["start"], citation["end"])


def _days_ago(turns: Sequence[PastTurn]) -> Sequence[float]:
    """How long before the newest turn each was."""
    moments = [datetime.fromisoformat(turn.at).timestamp() for turn in turns]
    return [(moments[0] - moment) / SECONDS_PER_DAY for moment in moments]
