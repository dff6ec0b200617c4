"""Labelled sentences for the taggers: train and dev apart by hash, and swapped copies with other names in them."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from training import invent_en, invent_zh

from tools.knowledge.extraction.labelled import LabelledEntity, LabelledSentence, read_labelled
from tools.knowledge.extraction.protocol import EntityType

HERE = Path(__file__).parent
DEV_SHARE = 8
"""One sentence in so many is kept for dev."""
SWAPPED = 0.6
"""The share of entities that a swapped copy exchanges."""


def labelled(language: str) -> tuple[list[LabelledSentence], list[LabelledSentence]]:
    """Our own sentences as (train, dev): those written for relations train, the others are parted by their hash."""
    train: list[LabelledSentence] = []
    dev: list[LabelledSentence] = []
    for sentence in read_labelled(HERE / f"extraction_{language}.txt"):
        digest = hashlib.sha256(sentence.text.encode()).digest()
        (dev if digest[0] % DEV_SHARE == 0 else train).append(sentence)
    return [*train, *read_labelled(HERE / f"relations_{language}.txt")], dev


class Names:
    """Other names of a type: half of them from the training sentences, the others from lists or invented."""

    def __init__(self, sentences: Sequence[LabelledSentence], language: str, known: float = 0.4) -> None:
        self._known = known
        self._pool: dict[EntityType, list[str]] = defaultdict(list)
        for sentence in sentences:
            for entity in sentence.entities:
                self._pool[entity.type].append(sentence.text[entity.start : entity.end])
        self._lists = invent_zh.terms() if language == "zh" else invent_en.terms()
        self._invent = invent_zh.invent if language == "zh" else invent_en.invent

    def choose(self, kind: EntityType, rng: random.Random) -> str:
        """A name of the type."""
        if rng.random() < self._known and self._pool[kind]:
            return rng.choice(self._pool[kind])
        if rng.random() < 0.6 and self._lists.get(kind):
            return rng.choice(self._lists[kind])
        return self._invent(kind, rng)


def swap(sentence: LabelledSentence, names: Names, rng: random.Random) -> LabelledSentence:
    """A copy in which some entities are others of the same type."""
    text, entities, at = "", list[LabelledEntity](), 0
    for entity in sentence.entities:
        text += sentence.text[at : entity.start]
        name = sentence.text[entity.start : entity.end]
        if rng.random() < SWAPPED:
            name = _as_cased(names.choose(entity.type, rng), name)
        entities.append(LabelledEntity(len(text), len(text) + len(name), entity.type))
        text += name
        at = entity.end
    return LabelledSentence(text + sentence.text[at:], tuple(entities), sentence.relations)


def _as_cased(name: str, model: str) -> str:
    """A term that opened a sentence with a capital loses it elsewhere, and the other way round."""
    if name[1:].islower() and model[1:].islower() and " " not in name[:1]:
        return (name[:1].upper() if model[:1].isupper() else name[:1].lower()) + name[1:]
    return name


def batches(sentences: Sequence[LabelledSentence], size: int, rng: random.Random) -> list[list[LabelledSentence]]:
    """All sentences in groups of about the same length, in random order."""
    shuffled = rng.sample(sentences, len(sentences))
    found: list[list[LabelledSentence]] = []
    for at in range(0, len(shuffled), 16 * size):
        part = sorted(shuffled[at : at + 16 * size], key=lambda sentence: len(sentence.text))
        found += [part[place : place + size] for place in range(0, len(part), size)]
    rng.shuffle(found)
    return found
