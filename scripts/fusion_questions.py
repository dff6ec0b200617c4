"""Questions made from passages, to train the fusion on: no question of any test set is among them.

A triple (head, words, tail) is a title, what its passage says between two names, and the second name. Triples are
chained as people chain them: through the passage of the tail, from a third name that only describes the first,
side by side in a comparison. The words are often replaced by a noun (`directed by`: director), dropped or
kept, as people's questions share few words with the passages.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.terms import STOP_WORDS

_SENTENCE = re.compile(r"[^.!?]+[.!?]?")
_NAME = re.compile(
    r"[A-Z][\w'’-]*(?:\s+(?:(?:of|the|de|von|van|and|for|du|la|le|bin|al)\s+)?[A-Z0-9][\w'’-]*)*|\b\d{4}\b"
)
_KIND = re.compile(r"\b(?:is|was|are|were)\s+(?:an?|the|one of the)\s+([a-zA-Z0-9 '-]{3,60})")
_KIND_ENDS = re.compile(r"\b(?:of|by|in|from|who|that|which|and|for|at|on|with|to|located|based|known|directed)\b")
_NOUNS = {
    "directed": ("director", "filmmaker"),
    "written": ("writer", "author"),
    "wrote": ("author", "writer"),
    "starring": ("star", "actor", "lead actress"),
    "stars": ("star", "actor"),
    "produced": ("producer",),
    "composed": ("composer",),
    "founded": ("founder",),
    "established": ("founder",),
    "born": ("birthplace", "place of birth", "date of birth", "country of origin"),
    "died": ("place of death", "date of death", "death"),
    "married": ("spouse", "husband", "wife"),
    "wife": ("husband", "spouse"),
    "son": ("father", "mother", "child", "parent"),
    "daughter": ("father", "mother", "child", "parent"),
    "located": ("location", "county", "state"),
    "part": ("region", "larger area"),
    "published": ("publisher",),
    "released": ("release date", "record label"),
    "recorded": ("performer", "singer"),
    "performed": ("performer",),
    "sung": ("performer", "singer"),
    "owned": ("owner",),
    "played": ("player", "team", "sport"),
    "member": ("group", "band", "party"),
    "capital": ("capital city",),
    "graduated": ("alma mater", "school"),
    "educated": ("alma mater", "school"),
    "won": ("award",),
    "led": ("leader",),
    "president": ("head", "leader"),
    "based": ("headquarters", "basis"),
    "developed": ("developer",),
    "designed": ("designer",),
    "editor": ("person in charge",),
}


_PLAIN = tuple(
    """
    name, date, place, country, year, person, city, number, birthplace, father, mother, spouse, child, sibling,
    record label, county, state, region, capital, population, headquarters, owner, founder, league, team, award,
    genre, nationality, occupation, cause of death, place of burial, administrative territorial entity,
    country of citizenship, performer, publisher, producer, director, composer, screenwriter, language, religion,
    military branch, body of water,
    continent, border, currency, president, mayor, first season, end, beginning, meaning, largest city, time zone
    """.replace("\n", " ").split(",")
)
VAGUE = 0.8
"""How often a relation that has no noun of its own is asked for by a word that says nothing of it."""


class Triple(NamedTuple):
    """What a passage says of its title: the words before another name, and the name."""

    head: str
    words: str
    tail: str


@dataclass(frozen=True)
class Passages:
    """A corpus by title; `triples` and `kinds` (what the first sentence says a title is) are by title too."""

    texts: Mapping[str, str]
    triples: Mapping[str, Sequence[Triple]]
    kinds: Mapping[str, str]
    titles: Mapping[str, str] = field(default_factory=dict[str, str])
    """The title of each normal form that is only one passage's."""


@dataclass(frozen=True)
class Question:
    """A question and the titles of the passages that answer it."""

    text: str
    gold: tuple[str, ...]
    kind: str


def passages_of(rows: Sequence[Mapping[str, str]], given: Mapping[str, Sequence[Triple]] | None = None) -> Passages:
    """Read a corpus of `title` and `text`; `given` are triples by title that somebody else extracted."""
    texts: dict[str, str] = {}
    for row in rows:
        texts.setdefault(row["title"], row["text"])
    triples = {title: [*_read(title, text), *(given or {}).get(title, ())] for title, text in texts.items()}
    forms: dict[str, list[str]] = defaultdict(list)
    for title in texts:
        forms[normal_form(title)].append(title)
    kinds = {title: kind for title, text in texts.items() if (kind := _kind(text))}
    return Passages(texts, triples, kinds, {form: titles[0] for form, titles in forms.items() if len(titles) == 1})


def _read(title: str, text: str) -> Iterator[Triple]:
    own = normal_form(title)
    for sentence in _SENTENCE.findall(text)[:6]:
        ends = 0
        for name in _NAME.finditer(sentence):
            tail, before = name.group(), sentence[ends : name.start()]
            ends = name.end()
            words = [w for w in re.findall(r"[a-z]+", before) if w not in STOP_WORDS][-3:]
            if words and len(tail) > 3 and normal_form(tail) not in own and own not in normal_form(tail):
                yield Triple(title, " ".join(words), tail)


def _kind(text: str) -> str:
    found = _KIND.search(text[:300])
    return _KIND_ENDS.split(found.group(1))[0].strip() if found else ""


class Maker:
    """Draws questions of each kind from a corpus; the same seed draws the same ones."""

    def __init__(self, passages: Passages, seed: int) -> None:
        self._p = passages
        self._draw = random.Random(seed)  # noqa: S311 - the same seed has to draw the same questions
        self._bridges = [
            (triple, self._p.titles[form])
            for triples in passages.triples.values()
            for triple in triples
            if (form := normal_form(triple.tail)) in passages.titles and passages.titles[form] != triple.head
        ]
        self._by_kind: dict[str, list[str]] = defaultdict(list)
        for title, kind in passages.kinds.items():
            self._by_kind[kind.split()[-1] if kind else ""].append(title)
        self._bridges_of: dict[str, list[tuple[Triple, str]]] = {title: [] for title in passages.texts}
        for triple, to in self._bridges:
            self._bridges_of[triple.head].append((triple, to))

    def make(self, number: int) -> list[Question]:
        """About `number` questions of all kinds, chains more often than what one passage answers."""
        kinds: Sequence[Callable[[], Question | None]] = (
            self._bridge, self._bridge, self._bridge, self._three_hops, self._three_hops, self._three_hops,
            self._described_bridge, self._described_bridge, self._comparison, self._bridge_comparison,
            self._single if self._draw.random() < 0.5 else self._described, self._both_described,
        )  # fmt: skip
        made = [question for n in range(number) if (question := kinds[n % len(kinds)]())]
        return list({question.text: question for question in made}.values())

    def _bridge(self) -> Question | None:
        first, to = self._draw.choice(self._bridges)
        ask = self._asked(to, avoid=first.head)
        return ask and Question(
            f"{self._opening()} {ask} of the {self._relation(first)} of {self._named(first.head)}?",
            (first.head, to),
            "bridge",
        )

    def _described_bridge(self) -> Question | None:
        first, to = self._draw.choice(self._bridges)
        described = self._description(first.head, avoid=first.tail)
        ask = self._asked(to, avoid=first.head)
        if not described or not ask:
            return None
        text = self._draw.choice([
            f"{self._opening()} {ask} of the {self._relation(first)} of {described}?",
            f"{described[0].upper()}{described[1:]} has a {self._relation(first)} with what {ask}?",
        ])  # fmt: skip
        return Question(text, (first.head, to), "described bridge")

    def _three_hops(self) -> Question | None:
        first, to = self._draw.choice([bridge for bridge in self._bridges if self._bridges_of[bridge[1]]])
        following = [(t, end) for t, end in self._bridges_of[to] if end not in {first.head, to}]
        if not following:
            return None
        second, end = self._draw.choice(following)
        ask = self._asked(end, avoid=to)
        named = self._named(first.head) if self._draw.random() < 0.6 else self._description(first.head, first.tail)
        return (ask and named and Question(
            f"{self._opening()} {ask} of the {self._relation(second)} of the {self._relation(first)} of {named}?",
            (first.head, to, end), "three hops")) or None  # fmt: skip

    def _comparison(self) -> Question | None:
        pair = self._alike()
        if not pair:
            return None
        a, b, kind = pair
        text = self._draw.choice([
            f"Which {kind} came first, {a} or {b}?",
            f"Are {a} and {b} both {kind}s?",
            f"Do {a} and {b} have the same {self._about(a)}?",
            f"Who is older, {a} or {b}?",
            f"Were both {a} and {b}, {self._about(b)}, from the same country?",
        ])  # fmt: skip
        return Question(text, (a, b), "comparison")

    def _bridge_comparison(self) -> Question | None:
        first, to = self._draw.choice(self._bridges)
        word = self._noun(first.words)
        alike = [
            (t, end)
            for t, end in self._bridges
            if t.head not in {first.head, to} and end not in {to, first.head} and self._noun(t.words) == word
        ]
        if not alike:
            return None
        second, end = self._draw.choice(alike)
        kind = (self._p.kinds.get(first.head) or "one").split()[-1]
        text = self._draw.choice([
            f"Which {kind} has the {word} who {self._about(to)} first, {first.head} or {second.head}?",
            f"Do the {word} of {first.head} and the {word} of {second.head} share the same {self._about(to)}?",
        ])  # fmt: skip
        return Question(text, tuple(dict.fromkeys((first.head, to, second.head, end))), "bridge comparison")

    def _single(self) -> Question | None:
        title = self._draw.choice(list(self._p.texts))
        ask = self._asked(title)
        return ask and Question(f"{self._opening()} {ask} of {self._named(title)}?", (title,), "single")

    def _described(self) -> Question | None:
        title = self._draw.choice(list(self._p.texts))
        described = self._description(title, "")
        return described and Question(
            f"What is the name of {described}, and {self._about(title)}?", (title,), "described"
        )

    def _both_described(self) -> Question | None:
        first, to = self._draw.choice(self._bridges)
        other = self._description(to, avoid=first.head)
        named = self._named(first.head)
        return other and Question(
            f"{self._opening()} {named} {first.words} {other}?", (first.head, to), "both described"
        )

    def _alike(self) -> tuple[str, str, str] | None:
        kind = self._draw.choice([kind for kind, titles in self._by_kind.items() if len(titles) > 1])
        a, b = self._draw.sample(self._by_kind[kind], 2)
        return a, b, kind

    def _opening(self) -> str:
        return self._draw.choice(["What is the", "Who is the", "When was the", "Where was the", "Which is the"])

    def _relation(self, triple: Triple) -> str:
        return self._noun(triple.words) if self._draw.random() < 0.8 else triple.words

    def _noun(self, words: str) -> str:
        """What people call it; where nothing is known, a word that says little or one of the passage's own."""
        for word in words.split():
            if word in _NOUNS:
                return _NOUNS[word][0] if self._draw.random() < 0.6 else self._draw.choice(_NOUNS[word])
        if self._draw.random() < VAGUE:
            return " ".join(self._draw.choice(_PLAIN).split())
        return self._draw.choice(words.split() or [""])

    def _asked(self, title: str, avoid: str = "") -> str:
        """What is asked of a passage, without its name and without `avoid`."""
        triples = [t for t in self._p.triples[title] if normal_form(t.tail) != normal_form(avoid)]
        if not triples:
            return ""
        triple = self._draw.choice(triples)
        words = self._noun(triple.words) if self._draw.random() < 0.85 else triple.words
        return words if self._draw.random() < 0.95 else f"{words} {triple.tail}"

    def _about(self, title: str) -> str:
        return self._asked(title) or "date"

    def _named(self, title: str) -> str:
        kind = self._p.kinds.get(title, "")
        bare = re.sub(r"\s*\([^)]*\)$", "", title)
        chance = self._draw.random()
        return f"the {kind.split()[-1]} {bare}" if kind and chance < 0.3 else bare if chance < 0.9 else bare.lower()

    def _description(self, title: str, avoid: str) -> str:
        """A title's kind and one or two names its passage mentions, the title itself left out."""
        kind = self._p.kinds.get(title)
        triples = [t for t in self._p.triples[title] if normal_form(t.tail) != normal_form(avoid)]
        if not kind or not triples:
            return ""
        chosen = self._draw.sample(triples, min(len(triples), 1 if self._draw.random() < 0.8 else 2))
        said = " and ".join(f"{t.words} {t.tail}" for t in chosen)
        return f"the {kind} {said}"
