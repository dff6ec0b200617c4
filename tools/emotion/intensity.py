"""How strongly something is felt: what the labels say, louder or quieter by how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import numpy as np

from tools.emotion.labels import AROUSAL, NEUTRAL, VALENCE
from tools.emotion.lexicon_words import lexicon_content
from tools.emotion.protocol import Probabilities

MAX_CHARS = 2000
MOST_MARKS = 3
"""Signs of one kind beyond which more add nothing."""
CAPITALS, EXCLAMATION, EMOJI, STRETCHED, INTENSIFIER, DOWNTONER = 0.5, 0.25, 0.2, 0.3, 0.35, -0.5
"""What each sign adds to the log odds of the intensity."""
STRENGTH = (np.abs(VALENCE) + AROUSAL) / 2
"""How strong a feeling each label names (0-1): annoyance 0.55, anger 0.85."""

_LOUD = re.compile(r"\b[A-Z]{3,}\b")
_EXCLAIMED = re.compile(r"[!！]")
_EMOJI = re.compile(r"[\u2600-\u27bf\U0001f300-\U0001faff]|[:;]-?[()D]|<3")
_DRAWN_OUT = re.compile(r"([A-Za-z])\1{2,}|([\u3400-\u9fff])\2{2,}|[~～]{2,}")


def intensity_of(text: str, row: Probabilities) -> float:
    """Intensity (0-1) of `text` whose labels have the probabilities `row` (28,)."""
    felt = np.delete(row, NEUTRAL)
    any_felt = 1 - float(np.prod(1 - felt))
    level = any_felt * float(felt @ np.delete(STRENGTH, NEUTRAL)) / max(float(felt.sum()), 1e-6)
    level = min(max(level, 1e-3), 1 - 1e-3)
    return float(1 / (1 + np.exp(-(np.log(level / (1 - level)) + emphasis(text)))))


def emphasis(text: str) -> float:
    """What the way `text` is written adds to the log odds of its intensity; 0 where it is plain."""
    text = text[:MAX_CHARS]
    shout = _LOUD.findall(text) if not text.isupper() or len(text) > MOST_MARKS else []
    return (
        CAPITALS * bool(shout)
        + EXCLAMATION * min(MOST_MARKS, len(_EXCLAIMED.findall(text)))
        + EMOJI * min(MOST_MARKS, len(_EMOJI.findall(text)))
        + STRETCHED * bool(_DRAWN_OUT.search(text))
        + INTENSIFIER * bool(_pattern("intensifier").search(text))
        + DOWNTONER * bool(_pattern("downtoner").search(text))
    )


@cache
def _pattern(group: str) -> re.Pattern[str]:
    """The lexicon's words of `group` in both languages, longest first."""
    lexicon = lexicon_content()
    english, chinese = lexicon["en"][group], lexicon["zh"][group]
    return re.compile(rf"\b(?:{_either(english)})\b|{_either(chinese)}", re.IGNORECASE)


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
