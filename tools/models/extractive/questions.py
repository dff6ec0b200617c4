"""What a question asks for: its terms with their weight, the kind of answer, and how broad it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tools.models.extractive.terms import FUNCTION_CHARACTERS, fold, terms

Kind = Literal["number", "time", "person", "place", "reason", "manner"]

_ASKS: dict[Kind, re.Pattern[str]] = {
    "reason": re.compile(r"为什么|为何|为啥|原因|缘故|\bwhy\b|\breasons?\b|\bcauses?d?\b"),
    "time": re.compile(
        r"什么时候|什么时间|何时|哪[一]?[年天月日]|几[年月日点号]|哪个(?:年代|朝代|时期|世纪)|时间是|日期"
        r"|\bwhen\b|\b(?:what|which) (?:year|date|day|month|time|century)\b|\bhow (?:soon|often)\b|\bsince when\b"
    ),
    "number": re.compile(
        r"多少|几[个位名次种条座所家人部场倍岁元层本章项]|多[大高长远重久宽深快]|有几|百分之几|比例"
        r"|\bhow (?:many|much|long|far|old|tall|high|big|large|deep|wide|fast|heavy)\b"
        r"|\bwhat (?:number|percentage|share|price|cost|size|height|age|amount|rate)\b|\b(?:cost|price)\b"
    ),
    "person": re.compile(r"谁|何人|哪[一]?[位人]|什么人|\bwho\b|\bwhom\b|\bwhose\b"),
    "place": re.compile(r"哪里|哪儿|何地|何处|在哪|什么地方|哪个(?:国家|城市|地区|省|州|市|县|地方)|哪国|\bwhere\b"),
    "manner": re.compile(r"如何|怎么|怎样|怎麼|\bhow (?:do|does|did|can|to|is|are|should|would)\b"),
}
_BROAD = re.compile(
    r"介绍|概述|总结|概括|说说|讲讲|讲述|谈谈|简述|综述|主要内容|有关.*的(?:情况|信息)"
    r"|\bsummar|\boverview\b|\btell me (?:more )?about\b|\bdescribe\b|\boutline\b|\bexplain\b|\bintroduc"
    r"|\bmain (?:points|ideas)\b|\bwhat (?:is|are) .* about\b|\beverything about\b"
)
_ASKING_WORDS = re.compile(
    r"什么时候|什么时间|什么地方|什么样|为什么|是什么|什么|多少|哪里|哪儿|哪些|哪个|哪几|哪位|哪一|怎么样|怎么|怎样|如何"
    r"|为何|何时|何地|何处|谁|请问|请介绍|介绍一下|告诉我|能否|是否|有没有"
)
_POINTS_BACK = re.compile(r"\b(?:it|its|they|them|their|he|his|him|she|her|this|that|these|those)\b|[它他她其这那该此]")
_PROPER = re.compile(r"(?<=[\w,] )[A-Z][a-zA-Z]{2,}")

PAIR, LOOSE, LOOSER, CHARACTER = 1.0, 0.35, 0.1, 0.3
"""Weight of a word or pair of Chinese characters, of a pair with one function character or two, of one character."""
BORROWED = 0.5
"""Weight of the terms that an earlier message lends."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart. `weights` are 0-1 per term, before the documents say how rare a term is."""

    weights: dict[str, float]
    kinds: frozenset[Kind]
    broad: bool
    names: frozenset[str]
    """Terms of names and numbers: a passage that knows none of them speaks of something else."""


def read_question(message: str, intent: str, earlier: Sequence[str] = ()) -> Question:
    """Take `message` apart; `earlier` user messages lend their terms to one that only points back."""
    text = fold(message)
    weights = _weights(message)
    if earlier and (len(weights) < 2 or _POINTS_BACK.search(text)):
        for term, weight in _weights(earlier[-1]).items():
            weights.setdefault(term, BORROWED * weight)
    kinds: set[Kind] = {kind for kind, asks in _ASKS.items() if asks.search(text)}
    if intent == "causal_question":
        kinds.add("reason")
    broad = intent == "broad_question" or bool(_BROAD.search(text))
    names = {term for name in _PROPER.findall(message) for term in terms(name)}
    numbers = {term for term in weights if term[0].isdigit()}
    return Question(weights, frozenset(kinds), broad, frozenset(names | numbers))


def _weights(message: str) -> dict[str, float]:
    """Content terms weigh 1, character pairs with a function character less."""
    weighed: dict[str, float] = {}
    for term in terms(_ASKING_WORDS.sub(" ", message)):
        loose = sum(character in FUNCTION_CHARACTERS for character in term)
        weight = (PAIR, LOOSE, LOOSER)[min(loose, 2)]
        if len(term) == 1 and not term.isascii():
            weight = 0.0 if loose else CHARACTER
        weighed[term] = max(weighed.get(term, 0.0), weight)
    return weighed
