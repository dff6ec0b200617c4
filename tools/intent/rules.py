"""Reads the intent from phrases that speak for it: no model, some tens of microseconds, always the same.

The weights of the phrases add up per intent (see `cues.py`), and the confidence is the softmax of the sums: a message
that nothing speaks for is a knowledge question at about one third.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from tools.intent.cues import FOLLOW_UP_TRUST, Cues, Scores
from tools.intent.protocol import Intent, IntentLabel

DEFAULT: IntentLabel = "knowledge_question"
DEFAULT_WEIGHT = 1.5
"""What the default intent has before a word is read: more than two hints are needed to outweigh it."""


class RuleIntentDetector:
    """An `IntentDetector` by weighted phrases; short follow-ups take the intent of the message before them."""

    def __init__(self, cues: Cues | None = None) -> None:
        self._cues = cues or Cues()

    async def detect(self, message: str, language: str, history: Sequence[str] = ()) -> Intent:
        """See `IntentDetector`; the phrases of both languages count, whatever `language` says."""
        asked, steps = self._cues.question_behind(message, history)
        scores = self._cues.scores(asked)
        scores[DEFAULT] = scores.get(DEFAULT, 0.0) + DEFAULT_WEIGHT
        ranked = sorted(scores, key=scores.__getitem__, reverse=True)
        shares = {label: round(_softmax(scores, label) * FOLLOW_UP_TRUST**steps, 3) for label in ranked}
        return Intent(ranked[0], shares[ranked[0]], "rules", tuple((label, shares[label]) for label in ranked[1:]))


def _softmax(scores: Scores, label: IntentLabel) -> float:
    """Share of `label` among all intents; those without a score count as 0."""
    top = max(scores.values())
    silent = len(get_args(IntentLabel)) - len(scores)
    total = silent * math.exp(-top) + sum(math.exp(score - top) for score in scores.values())
    return math.exp(scores[label] - top) / total
