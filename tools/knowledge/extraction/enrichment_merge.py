"""What the extractor found in a chunk together with what a language model added to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools.knowledge.extraction.protocol import Extraction, Mention


def merged(own: Extraction, added: Extraction) -> Extraction:
    """Both as one: nothing of `own` is replaced, mentions of `added` come where none of `own` stands.

    An added mention that meets one of `own` gives way to it, and lends it its type when it is of the same name and
    surer; its relations go over to it. So do relations of both, each once with its own extractor.
    """
    owned = [_surer(mention, added.mentions) for mention in own.mentions]
    beside = [_place_beside(mention, owned) for mention in added.mentions]
    fresh = [mention for mention, place in zip(added.mentions, beside, strict=True) if place is None]
    everything = [*owned, *fresh]
    order = sorted(range(len(everything)), key=lambda number: everything[number].start)
    place_of = {number: place for place, number in enumerate(order)}
    own_places = [place_of[number] for number in range(len(owned))]
    coming = iter(range(len(owned), len(everything)))
    added_places = [place_of[next(coming) if place is None else place] for place in beside]
    relations = [
        *(replace(one, head=own_places[one.head], tail=own_places[one.tail]) for one in own.relations),
        *(
            replace(one, head=added_places[one.head], tail=added_places[one.tail])
            for one in added.relations
            if added_places[one.head] != added_places[one.tail]
        ),
    ]
    aliases = list(dict.fromkeys([*own.aliases, *added.aliases]))
    return Extraction(own.subject or added.subject, [everything[number] for number in order], relations, aliases)


def _surer(mention: Mention, added: Sequence[Mention]) -> Mention:
    for other in added:
        if other.norm == mention.norm and other.confidence > mention.confidence:
            return replace(mention, type=other.type, confidence=other.confidence, extractor=other.extractor)
    return mention


def _place_beside(mention: Mention, owned: Sequence[Mention]) -> int | None:
    """The own mention that it gives way to: of the same name if there is one, else the first it meets; None if none."""
    meeting = [place for place, other in enumerate(owned) if mention.start < other.end and other.start < mention.end]
    named = [place for place in meeting if owned[place].norm == mention.norm]
    return next(iter([*named, *meeting]), None)
