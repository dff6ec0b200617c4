"""Documents for graph stores: by hand, and drawn at random from few names so that they meet."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from tools.stores.graph_protocol import (
    GAZETTEER,
    Community,
    GraphAlias,
    GraphChange,
    GraphChunk,
    GraphDocument,
    GraphEvidence,
    GraphMention,
    Sentence,
)

NASTY = (
    "') DETACH DELETE n //",
    "'; DROP TABLE graph_entities; --",
    "{norm: $tenant}",
    "🦜👩‍👩‍👧",
    "مرحبا بالعالم",
    "\u202eright to left\u202c",
    "a\0b",
    'quote " and \\ back',
    "%_*?",
    "知音",
    "\ufb01 \U0001f600 \uffee",
)
"""Names that are text and must stay text."""
NAMES = ("ann", "bo", "acme", "acme corp", "paris", "rome", "who", "world health organization", *NASTY)
TYPES = ("person", "organization", "location", "")
RELATIONS = ("works_for", "located_in", "related_to")


def chunk(position: int, subject: str = "", type_: str = "", confidence: float = 0.0) -> GraphChunk:
    """A chunk; the subject is spelt in title case."""
    return GraphChunk(position, subject, subject.title(), type_, confidence)


def mention(
    position: int, norm: str, type_: str = "person", confidence: float = 0.9, start: int = 0, name: str | None = None
) -> GraphMention:
    """A tagger's mention."""
    name = norm.title() if name is None else name
    return GraphMention(position, norm, name, type_, confidence, start, start + 3, start - start % 100, 99, "tagger")


def known(position: int, norm: str, start: int = 50) -> GraphMention:
    """A gazetteer's mention."""
    return GraphMention(position, norm, norm.upper(), "", 1.0, start, start + 3, 0, 99, GAZETTEER)


def says(position: int, head: str, relation: str, tail: str, confidence: float = 0.8, start: int = 0) -> GraphEvidence:
    """A sentence that relates two names."""
    sentence = f"{head} {relation} {tail}."
    return GraphEvidence(position, head, relation, tail, confidence, sentence, start, start + 9, "patterns")


def alias(position: int, other: str, of: str) -> GraphAlias:
    """A chunk that gives another name."""
    return GraphAlias(position, other, of, "brackets")


Item = GraphChunk | GraphMention | GraphEvidence | GraphAlias


def document(id_: str, *items: Item, title: str = "A title") -> GraphDocument:
    """A document of these rows; chunks that only other rows name are made without subject."""
    chunks = {item.position: item for item in items if isinstance(item, GraphChunk)}
    for item in items:
        chunks.setdefault(item.position, GraphChunk(item.position))
    return GraphDocument(
        id_,
        title,
        [chunks[at] for at in sorted(chunks)],
        [item for item in items if isinstance(item, GraphMention)],
        [item for item in items if isinstance(item, GraphEvidence)],
        [item for item in items if isinstance(item, GraphAlias)],
    )


class Drawing:
    """Documents and changes drawn with a seed; positions are never drawn twice."""

    def __init__(self, seed: int, names: Sequence[str] = NAMES) -> None:
        self.random = random.Random(seed)
        self.names = names
        self.position = 0

    def name(self) -> str:
        # The first names are drawn far more often, as in real texts.
        return self.names[min(int(self.random.expovariate(3 / len(self.names))), len(self.names) - 1)]

    def confidence(self) -> float:
        return self.random.choice((0.5, 0.9, round(self.random.random(), 6)))

    def document(self, id_: str, chunks: int | None = None) -> GraphDocument:
        draw = self.random
        items: list[Item] = []
        for _ in range(draw.randint(0, 3) if chunks is None else chunks):
            self.position += draw.randint(1, 3)
            subject = self.name() if draw.random() < 0.7 else ""
            items.append(chunk(self.position, subject, draw.choice(TYPES) if subject else "", self.confidence()))
            items += self.rows_of_chunk(self.position)
        title = draw.choice(NAMES)
        return document(id_, *items, title=title)

    def rows_of_chunk(self, at: int) -> Iterable[Item]:
        draw = self.random
        for place in range(draw.randint(0, 4)):
            if draw.random() < 0.25:
                yield known(at, self.name(), place * 40)
            else:
                name = self.name()
                spelt = draw.choice((name, name.upper(), name.title()))
                yield mention(at, name, draw.choice(TYPES), self.confidence(), place * 40, spelt)
        for place in range(draw.choice((0, 0, 1, 2))):
            yield says(at, self.name(), draw.choice(RELATIONS), self.name(), self.confidence(), place)
        if draw.random() < 0.2:
            yield alias(at, self.name(), self.name())

    def change(self, version: int, ids: Sequence[str], positions: Sequence[int]) -> GraphChange:
        """A change of some of the documents `ids`; gained mentions lie at some of `positions`, or nowhere."""
        draw = self.random
        picked = draw.sample(ids, draw.randint(0, min(3, len(ids))))
        cut = draw.randint(0, len(picked))
        places = [*draw.sample(positions, min(len(positions), draw.randint(0, 3))), self.position + 1_000_000]
        return GraphChange(
            version,
            [self.document(id_) for id_ in picked[:cut]],
            [*picked[cut:], "unheard of"],
            [known(at, self.name(), draw.choice((0, 50))) for at in places],
            [self.name()] if draw.random() < 0.3 else [],
        )

    def communities(self, norms: Sequence[str], positions: Sequence[int]) -> list[Community]:
        """Two levels over some of the names and one that is no entity."""
        draw = self.random
        members = [*draw.sample(norms, min(len(norms), 5)), "nobody at all"]
        rests_on = draw.sample(positions, min(len(positions), 2))
        sentences = [Sentence(at, 0, 9) for at in rests_on]
        return [
            Community("c1", 0, "", members, sentences, "A summary.", rests_on),
            Community("c2", 1, "c1", members[:2], sentences[:1]),
        ]
