"""Reads emotion by words alone: the last resort, and what reads a message that has no letters, only emoji.

A reading without a model is a rough one, and its confidence says so: right in half of the cases on GoEmotions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tools.emotion.calibration import Calibration
from tools.emotion.labels import LABELS, NEUTRAL
from tools.emotion.lexicon_words import Lexicon, open_lexicon
from tools.emotion.protocol import Emotion, Probabilities
from tools.emotion.reading import read_emotion

EVIDENCE_NEEDED = 4 / 9
"""Probability below which a label does not stand against `neutral`: that of a word and a bit less than full weight."""
CALIBRATION = Calibration(
    thresholds=tuple(1 - EVIDENCE_NEEDED if place == NEUTRAL else EVIDENCE_NEEDED for place in range(len(LABELS))),
    confidence=(0.1633, 0.145, -0.0764),
    context_weight=0.2,
)
"""`confidence` is fitted on the dev part of GoEmotions: it lies near a half, whatever is read (ECE 0.002)."""


class LexiconEmotionReader:
    """An `EmotionReader` by a lexicon; the words of both languages count, whatever the language is said to be."""

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self._lexicon = lexicon or open_lexicon()

    async def read(self, message: str, language: str, history: Sequence[str] = ()) -> Emotion:
        """See `EmotionReader`; some 0.2 ms, so in the event loop."""
        earlier = self._lexicon.probabilities(history[-1]) if history else None
        return self.emotion_of(message, self._lexicon.probabilities(message), earlier)

    async def read_many(self, messages: Sequence[str]) -> Sequence[Emotion]:
        """See `EmotionReader`."""
        return await asyncio.to_thread(
            lambda: [self.emotion_of(text, self._lexicon.probabilities(text)) for text in messages]
        )

    async def close(self) -> None:
        """Nothing is held."""

    def emotion_of(self, message: str, row: Probabilities, earlier: Probabilities | None = None) -> Emotion:
        """The reading of a message whose words give `row` (28,), and those of the one before it `earlier`."""
        return read_emotion(message, row, CALIBRATION, earlier=earlier, decided_by="lexicon")
