"""What words, emoji and punctuation say of the 28 labels of GoEmotions (Demszky et al. 2020), English and Chinese.

The words stand in `lexicon.yaml`; they are our own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tools.emotion.labels import LABELS, NEUTRAL
from tools.emotion.protocol import Probabilities
from tools.models.yaml_file import shipped_yaml

LEXICON = Path(__file__).parent / "lexicon.yaml"
WEIGHTS = {"strong": 2.0, "plain": 1.0}
EMOJI_WEIGHT = 1.5
HALF = 1.0
"""Weight at which a label is as likely as not."""
INTENSIFIED, TONED_DOWN, IN_CAPITALS, EXCLAIMED = 1.5, 0.6, 1.3, 1.15
ASKED = 0.6
"""Factor of a question, which more often asks about the words than feels them."""
BEFORE_BUT = 0.5
NEGATED_FEELING = 0.3
"""What is left of a denied unpleasant feeling: "not sad" is far from happy."""
REACH = 3
"""Units over which a negation or an intensifier reaches forward."""
MAX_CHARS = 2000

_UNIT = re.compile(
    r"[:;][-']?[()dDoO]|<3|\^_\^|[Tt]_[Tt]|[A-Za-z]+(?:'[A-Za-z]+)?|[\u3400-\u9fff]|[\u2600-\u27bf\U0001f300-\U0001faff]|[.!?;,…。！？；，\n]"
)
_BREAKS = frozenset(".!?;,…。！？；，\n")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_QUESTION = re.compile(
    r"[?？吗呢]|什么|怎么|为何|多少|哪|^\s*(?:who|what|when|where|which|why|how|is|are|does|do|did|can)\b",
    re.IGNORECASE,
)

DENIED = {
    **dict.fromkeys(("joy", "excitement", "optimism", "relief", "pride", "amusement"), "disappointment"),
    **dict.fromkeys(("admiration", "approval", "love", "gratitude"), "disapproval"),
}
"""What a denied pleasant feeling becomes."""

Kind = Literal["emotion", "negation", "intensifier", "downtoner", "contrast"]
Scores = dict[str, float]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase does: carries `label` with `weight`, or changes those that follow."""

    kind: Kind
    label: str = ""
    weight: float = 0.0


class Lexicon:
    """The words of `lexicon.yaml`, with negation, intensifiers, punctuation, capitals and emoji; 50 µs a message."""

    def __init__(self) -> None:
        written = _entries(lexicon_content())
        self._entries = {tuple(_UNIT.findall(phrase.lower())): entry for phrase, entry in written}
        self._longest: defaultdict[str, int] = defaultdict(int)
        for units in self._entries:
            self._longest[units[0]] = max(self._longest[units[0]], len(units))

    def probabilities(self, message: str) -> Probabilities:
        """How likely each label holds by its words alone, (28,): 0 where none speaks for it, `neutral` as the rest."""
        row = np.zeros(len(LABELS), dtype=np.float32)
        for label, weight in self.scores(message).items():
            row[LABELS.index(label)] = weight / (weight + HALF)
        row[NEUTRAL] = 1 - row.max()
        return row

    def scores(self, message: str) -> Scores:
        """Weights per label; empty where no word carries emotion."""
        message = message[:MAX_CHARS].replace("’", "'")
        units = _UNIT.findall(message)
        folded = [self._folded(unit) for unit in units]
        scores: Scores = {}
        reaching: dict[Kind, int] = {}
        place = 0
        while place < len(units):
            length, entry = self._entry_at(folded, place)
            if entry is None:
                if units[place] in _BREAKS:
                    reaching.clear()
            elif entry.kind == "emotion":
                label, weight = self._modified(entry, {kind for kind, end in reaching.items() if place - end < REACH})
                loud = len(units[place]) > 2 and units[place].isupper()
                scores[label] = scores.get(label, 0.0) + weight * (IN_CAPITALS if loud else 1.0)
            elif entry.kind == "contrast":
                scores = {name: score * BEFORE_BUT for name, score in scores.items()}
            else:
                reaching[entry.kind] = place + length
            place += length
        return _punctuated(scores, message)

    def _folded(self, unit: str) -> str:
        """In small letters, and stretched words ("sooo", "cooool") as the lexicon has them."""
        unit = unit.lower()
        if _STRETCHED.search(unit) is None:
            return unit
        twice, once = _STRETCHED.sub(r"\1\1", unit), _STRETCHED.sub(r"\1", unit)
        return twice if twice in self._longest else once

    def _entry_at(self, units: list[str], place: int) -> tuple[int, Entry | None]:
        """The longest entry that begins at `place`, and its length in units (1 where there is none)."""
        for length in range(self._longest.get(units[place], 0), 0, -1):
            if (entry := self._entries.get(tuple(units[place : place + length]))) is not None:
                return length, entry
        return 1, Entry("negation") if units[place].endswith("n't") else None

    def _modified(self, entry: Entry, modifiers: set[Kind]) -> tuple[str, float]:
        """Label and weight under the negations and intensifiers before it."""
        label, weight = entry.label, entry.weight
        if "intensifier" in modifiers:
            weight *= INTENSIFIED
        if "downtoner" in modifiers:
            weight *= TONED_DOWN
        if "negation" not in modifiers:
            return label, weight
        if label in DENIED:
            return DENIED[label], weight
        return label, weight * NEGATED_FEELING


@cache
def lexicon_content() -> Mapping[str, Any]:
    """What stands in `lexicon.yaml`, read once."""
    return shipped_yaml(LEXICON)


@cache
def open_lexicon() -> Lexicon:
    """The lexicon that comes with the app, read once."""
    return Lexicon()


def _entries(lexicon: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """Phrases of both languages with what they do."""
    for groups in lexicon.values():
        for group, content in groups.items():
            if isinstance(content, list):
                yield from ((word, Entry(group)) for word in content)
                continue
            for key, words in content.items():
                label, weight = (key, EMOJI_WEIGHT) if group == "emoji" else (group, WEIGHTS[key])
                yield from ((word, Entry("emotion", label, weight)) for word in words)


def _punctuated(scores: Scores, message: str) -> Scores:
    """Louder by exclamation marks; quieter in a question that exclaims nothing."""
    exclamations = min(3, message.count("!") + message.count("！"))
    factor = EXCLAIMED**exclamations
    if not exclamations and _QUESTION.search(message):
        factor = ASKED
    return {label: score * factor for label, score in scores.items()}
