"""Public sets of relations between two marked spans, read as sentences with two entities and what relates them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.knowledge.extraction.relations_sentence import Spot

UNTYPED = "?"
_TAGS = re.compile(r"</?e[12]>")
_ARGUMENTS = re.compile(r"<ARG([01])>(.*?)</ARG\1>")
_SIGNALS = re.compile(r"</?SIG\d>")


@dataclass(frozen=True, slots=True)
class MarkedPair:
    """`spots` are the two entities in the order of the text; `label` the set's own name of the relation.

    `turned` says that the relation's first argument is the later one. `others` are further entities.
    """

    id: str
    text: str
    spots: tuple[Spot, Spot]
    label: str
    turned: bool = False
    others: Sequence[Spot] = ()


def semeval(rows: Iterable[Mapping[str, Any]]) -> Iterator[MarkedPair]:
    """SemEval-2010 task 8: `<e1>` always comes first; the label holds the direction, `Cause-Effect(e2,e1)`."""
    for row in rows:
        marked: str = row["text"]
        edges: list[int] = []
        taken = 0
        for tag in _TAGS.finditer(marked):
            edges.append(tag.start() - taken)
            taken += len(tag.group())
        spots = Spot(edges[0], edges[1], UNTYPED), Spot(edges[2], edges[3], UNTYPED)
        label, _, way = str(row["relation"]).partition("(")
        yield MarkedPair(str(row["id"]), _TAGS.sub("", marked), spots, label, way.startswith("e2"))


def named_pairs(rows: Iterable[Mapping[str, Any]]) -> Iterator[MarkedPair]:
    """SanWen and FinRE: head and tail are given by their words and found where they stand nearest."""
    for row in rows:
        if spans := _nearest(row["text"], row["head"], row["tail"]):
            head, tail = spans
            turned = tail < head
            first, second = sorted(spans)
            yield MarkedPair(
                str(row["id"]), row["text"], (Spot(*first, UNTYPED), Spot(*second, UNTYPED)), row["relation"], turned
            )


def causal_spans(rows: Iterable[Mapping[str, Any]]) -> Iterator[MarkedPair]:
    """Causal News Corpus: the cause is argument 0, the effect argument 1; both are clauses."""
    for row in rows:
        for tagged in re.split(r"', '|\", \"|', \"|\", '", str(row["tagged"]).strip("[]'\"")):
            marked = _SIGNALS.sub("", tagged)
            found = list(_ARGUMENTS.finditer(marked))
            if len(found) != 2 or found[0][1] == found[1][1]:
                continue
            first, second = found
            text = marked[: first.start()] + first[2] + marked[first.end() : second.start()] + second[2]
            spots = (
                Spot(first.start(), first.start() + len(first[2]), UNTYPED),
                Spot(len(text) - len(second[2]), len(text), UNTYPED),
            )
            yield MarkedPair(str(row["id"]), text + marked[second.end() :], spots, "causes", first[1] == "1")


def crossre(rows: Iterable[Mapping[str, Any]]) -> Iterator[MarkedPair]:
    """CrossRE: each pair that has a relation, once for each of its labels, in the sentence's own entities."""
    for row in rows:
        text, starts = "", list[int]()
        for token in row["tokens"]:
            text += " " if text else ""
            starts.append(len(text))
            text += token
        spots = {
            (entity["start"], entity["end"]): Spot(
                starts[entity["start"]],
                starts[entity["end"] - 1] + len(row["tokens"][entity["end"] - 1]),
                str(entity["type"]),
            )
            for entity in row["entities"]
        }
        for relation in row["relations"]:
            head, tail = spots[tuple(relation["head"])], spots[tuple(relation["tail"])]
            first, second = sorted((head, tail))
            if first.end <= second.start:
                others = [spot for spot in sorted(spots.values()) if spot not in (head, tail)]
                yield MarkedPair(str(row["id"]), text, (first, second), relation["type"], tail < head, others)


def _nearest(text: str, head: str, tail: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Where the two stand nearest to each other; of one within the other what is left of the longer one."""
    pairs = [((a, a + len(head)), (b, b + len(tail))) for a in _places(text, head) for b in _places(text, tail)]
    apart = [pair for pair in pairs if pair[0][1] <= pair[1][0] or pair[1][1] <= pair[0][0]]
    if apart:
        return min(apart, key=lambda pair: max(pair[0][0], pair[1][0]) - min(pair[0][1], pair[1][1]))
    for one, other in pairs:
        for first, second in ((one, other), (other, one)):
            if first[0] <= second[0] and second[1] <= first[1] and first != second:
                cut = (second[1], first[1]) if second[1] < first[1] else (first[0], second[0])
                return (cut, second) if first is one else (second, cut)
    return None


def _places(text: str, part: str) -> list[int]:
    return [found.start() for found in re.finditer(re.escape(part), text)] if part else []
