"""What a pair of entities in a sentence is described by, as strings that a linear classifier weighs.

Features of a gap are made once and shared by all pairs that see the gap in the same part (between two
neighbours, first or last of several, before, after), so that a passage costs about a string per word and part.
What few words and types give comes back in sentence after sentence, and is remembered from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from tools.knowledge.extraction.relations_lexicon import Lexicon
from tools.knowledge.extraction.relations_sentence import Gap, SentenceView
from tools.knowledge.extraction.relations_words import stem

NEAR = 4
"""Words read before the earlier and after the later entity."""
_SHORT = 6
"""A gap of fewer words is also taken as a whole."""
_COMES_BACK = 4
"""Gaps of at most so many words are remembered from one sentence to the next."""
MOST_REMEMBERED = 32_768
"""Lists of features that are remembered; after that it starts anew."""


class _Coarse(dict[str, str]):
    def __missing__(self, kind: str) -> str:
        return kind


COARSE = _Coarse(
    concept="idea", process="idea", metric="idea", product="thing", work="thing", organization="group", location="place"
)
"""Types that stand in much the same sentences go by one name, all others by their own."""


Encode = Callable[[Iterable[str]], list[Any]]
"""Features as the caller wants them: their rows in a classifier, or (`list`) as they are."""


class PairFeatures:
    """Features of the pairs of one sentence."""

    def __init__(
        self,
        view: SentenceView,
        lexicon: Lexicon,
        encode: Encode = list,
        remembered: dict[Hashable, list[Any]] | None = None,
    ) -> None:
        """`remembered` is what `encode` made for earlier sentences in the same language; it grows."""
        self._view = view
        self._lexicon = lexicon
        self._encode = encode
        self._known: dict[tuple[int, str], list[Any]] = {}
        self._remembered = {} if remembered is None else remembered

    def of(self, one: int, other: int) -> list[Any]:
        """Features of the entities at places `one` < `other`. Members of a list stand where the list stands."""
        view = self._view
        together = view.first[one] == view.first[other]
        left, right = (one, other) if together else (view.last[one], view.first[other])
        own = self._crossed(one, other, left, right)
        found = self._surface(one, "as") + self._surface(other, "bs")
        found += self._gap(view.first[one], "p", _before) + self._gap(view.last[other] + 1, "s", _after)
        if right - left == 1:
            found += self._gap(right, "g", _whole)
            own += self._alone(one, other, view.gaps[right])
        else:
            found += self._gap(left + 1, "f", _first) + self._gap(right, "l", _last)
            for place in range(left + 1, right + 1):
                found += self._gap(place, "m", _any)
            own += self._several(left, right)
        found += self._types(one, other)
        found += self._encode(self._of_place(one, other, left, right, together))
        return found + self._encode(own)

    def _types(self, one: int, other: int) -> list[Any]:
        types = self._view.spots[one].type, self._view.spots[other].type
        return self._remembered.get(types) or self._remember(types, _of_types(*types))

    def _gap(self, place: int, part: str, make: Callable[[Gap], list[str]]) -> list[Any]:
        found = self._known.get((place, part))
        if found is None:
            gap = self._view.gaps[place]
            if len(gap.tokens) > _COMES_BACK:
                found = self._encode(make(gap))
            else:
                key = (part, *gap.tokens)
                found = self._remembered.get(key) or self._remember(key, make(gap))
            self._known[place, part] = found
        return found

    def _surface(self, place: int, part: str) -> list[Any]:
        found = self._known.get((place, part))
        if found is None:
            name = self._view.names[place]
            key = part, name
            found = self._remembered.get(key)
            if found is None:
                named = _surface(name, self._lexicon.language)
                found = self._remember(key, [f"{part}:{feature}" for feature in named])
            self._known[place, part] = found
        return found

    def _remember(self, key: Hashable, features: list[str]) -> list[Any]:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        found = self._remembered[key] = self._encode(features)
        return found

    def _of_place(self, one: int, other: int, left: int, right: int, together: bool) -> list[str]:
        view = self._view
        a, b = view.spots[one].type, view.spots[other].type
        if together:
            sign = view.gaps[other].whole
            return ["same", f"same:{sign}", f"same:{min(other - one, 5)}", f"same:{a}:{sign}"]
        inner = [view.spots[at].type for at in range(left + 1, right)]
        found = [f"in:{min(len(inner), 3)}", f"lists:{one != left}{other != right}"]
        if inner:
            found.append(f"ia:{a in inner}|ib:{b in inner}|{COARSE[a]}|{COARSE[b]}")
            found.append(f"it:{inner[0]}|{inner[-1]}")
        if one != left:
            found.append(f"la:{view.gaps[one + 1].whole}")
        if other != right:
            found.append(f"lb:{view.gaps[other].whole}")
        if one == 0:
            found.append("head")
        return found

    def _alone(self, one: int, other: int, gap: Gap) -> list[str]:
        view = self._view
        a, b = view.spots[one].type, view.spots[other].type
        ca, cb = COARSE[a], COARSE[b]
        found = [f"w:{gap.whole}|{a}|{b}", f"W:{gap.whole}|{ca}|{cb}"] if len(gap.tokens) < _SHORT else ["long"]
        if fired := self._lexicon.fired(gap.whole):
            found += [f"P:{fired}", f"P:{fired}|{a}|{b}", f"P:{fired}|{ca}|{cb}"]
        return found

    def _several(self, left: int, right: int) -> list[str]:
        first, last = self._view.gaps[left + 1], self._view.gaps[right]
        found = [f"fl:{kind}|{last.closing}" for _, kind in first.triggers]
        if len(first.tokens) < _SHORT and len(last.tokens) < _SHORT:
            found.append(f"fl:{first.whole}|{last.whole}")
        return found

    def _crossed(self, one: int, other: int, left: int, right: int) -> list[str]:
        view = self._view
        ca, cb = COARSE[view.spots[one].type], COARSE[view.spots[other].type]
        part = "g" if right - left == 1 else "n"
        found: list[str] = []
        for place in range(left + 1, right + 1):
            for _, kind in view.gaps[place].triggers:
                found += [f"x{part}:{kind}|{ca}|{cb}", f"y{part}:{kind}|{cb}", f"z{part}:{kind}|{ca}"]
        first, last = view.gaps[left + 1].opening, view.gaps[right].closing
        found += [f"o{part}:{first}|{ca}|{cb}", f"c{part}:{last}|{ca}|{cb}", f"oc{part}:{first}|{last}"]
        return found + self._around(view.gaps[view.first[one]], view.gaps[view.last[other] + 1], first, last)

    def _around(self, before: Gap, after: Gap, first: str, last: str) -> list[str]:
        """Words before and after the pair together with those beside its entities (`by X founded`, `由 X 创立`)."""
        leads, follows = before.closing, after.opening
        found = [f"pc:{leads}|{last}", f"po:{leads}|{first}", f"cs:{last}|{follows}"]
        for at, kind in after.triggers:
            if at < NEAR:
                found += [f"ca:{last}|{kind}", f"pa:{leads}|{last}|{kind}"]
        found += [f"pb:{kind}|{last}" for _, kind in before.triggers]
        return found


def _of_types(a: str, b: str) -> list[str]:
    return ["1", f"a:{a}", f"b:{b}", f"t:{a}|{b}", f"T:{COARSE[a]}|{COARSE[b]}"]


def _whole(gap: Gap) -> list[str]:
    tokens = gap.tokens
    if not tokens:
        return ["g0"]
    found = [f"g:{token}" for token in tokens]
    found += [f"g:{a} {b}" for a, b in pairwise(("^", *tokens, "$"))]
    found += [f"g:{a} {b} {c}" for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False)]
    found.append(f"g#{min(len(tokens), 12) // 2}")
    found += [f"g!{kind}" for _, kind in gap.triggers]
    if gap.triggers:
        found += [f"g<{gap.triggers[0][1]}", f"g>{gap.triggers[-1][1]}", f"g>{gap.triggers[-1][1]}|{tokens[-1]}"]
    else:
        found.append("g!")
    return found


def _first(gap: Gap) -> list[str]:
    return _some(gap, "f", gap.tokens[:5])


def _last(gap: Gap) -> list[str]:
    return _some(gap, "l", gap.tokens[-5:])


def _before(gap: Gap) -> list[str]:
    return _some(gap, "p", gap.tokens[-NEAR:])


def _after(gap: Gap) -> list[str]:
    return _some(gap, "s", gap.tokens[:NEAR])


def _some(gap: Gap, part: str, tokens: Sequence[str]) -> list[str]:
    """Words, pairs of words and kinds of wording of a part of the gap."""
    if not tokens:
        return [f"{part}0"]
    found = [f"{part}:{token}" for token in tokens]
    found += [f"{part}:{a} {b}" for a, b in pairwise(("^", *tokens, "$"))]
    found += [f"{part}!{kind}" for _, kind in gap.triggers]
    return found


def _any(gap: Gap) -> list[str]:
    found = [f"m:{token}" for token in gap.tokens]
    found += [f"m!{kind}" for _, kind in gap.triggers]
    return found


def _surface(name: str, language: str) -> list[str]:
    """How the entity is written, and its last word (en) or characters (zh)."""
    if language == "zh" and not name.isascii():
        return ["han", f"1{name[-1]}", f"2{name[-2:]}"]
    shape = "0" if name[:1].isdigit() else "Aa"[name[:1].islower()]
    shape += "_" if " " in name else ""
    return [shape, stem(name.rpartition(" ")[2].lower())]
