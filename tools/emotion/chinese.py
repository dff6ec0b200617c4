"""The Chinese model: what tells the 28 labels, what tells content from discontent, and the words of the lexicon.

What it learned from, and what it reaches: docs/decisions/0016-chinese-emotion.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.emotion.calibration import Calibration
from tools.emotion.chinese_classifier import WHAT, ChineseClassifier, load_chinese, signs_of
from tools.emotion.labels import LABELS, NEUTRAL, OF_SENTIMENT, SENTIMENTS
from tools.emotion.protocol import Probabilities
from tools.errors import NotAvailable
from tools.models.text_classifier.classifier import LinearTextClassifier
from tools.models.text_classifier.stored import load_classifier

CHINESE = Path(__file__).parent / "artefacts" / "zh"
POLARITY = "polarity"
"""Folder, inside the model's, of the classifier of content and discontent."""
POSITIVE, NEGATIVE = SENTIMENTS.index("positive"), SENTIMENTS.index("negative")
MOST_ODDS = 10.0
"""Odds that content and discontent are believed up to."""
WORDS_COUNT = 0.8
"""How far the lexicon is believed where it speaks for a label."""
INLINE = 1
"""Texts that are read in the event loop (0.3 ms); more are read in a thread, so that others' turns go on."""


class ChineseEmotions:
    """An `EmotionModel` for Chinese text; all of it is numpy, and safe to use from many threads.

    `polarity` has the labels `negative` and `positive`, in this order.
    """

    def __init__(self, classifier: ChineseClassifier, polarity: LinearTextClassifier, calibration: Calibration) -> None:
        self._classifier, self._polarity = classifier, polarity
        self.calibration = calibration

    async def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """See `EmotionModel`."""
        if len(texts) <= INLINE:
            return self.rows(texts)
        return await asyncio.to_thread(self.rows, texts)

    async def close(self) -> None:
        """Nothing is held but memory."""

    def rows(self, texts: Sequence[str]) -> Probabilities:
        """The same, in the caller's thread."""
        words = signs_of(texts)
        rows = np.exp(self._classifier.log_probabilities(texts, words))
        rows = with_polarity(rows, self._polarity.probabilities(texts)[:, 1])
        return np.array([with_words(*pair) for pair in zip(rows, words, strict=True)], dtype=np.float32).reshape(
            rows.shape
        )


def with_polarity(rows: Probabilities, positive: Probabilities) -> Probabilities:
    """Rows (n, 28) after it is known how likely each text is content rather than not, (n,).

    Content raises the odds of each pleasant label as much as it lowers those of each unpleasant one.
    """
    odds = np.clip(positive / np.maximum(1 - positive, 1e-6), 1 / MOST_ODDS, MOST_ODDS)[:, np.newaxis]
    moved = rows * np.where(OF_SENTIMENT[:, POSITIVE], odds, np.where(OF_SENTIMENT[:, NEGATIVE], 1 / odds, 1))
    return np.asarray(moved / moved.sum(axis=1, keepdims=True), dtype=np.float32)


def with_words(model: Probabilities, words: Probabilities) -> Probabilities:
    """Rows (28,) of the model and of the lexicon as one: a label holds if either says so, not in spite of the other.

    The dialogues that the model has seen lack half of the labels; of those the lexicon knows more.
    """
    told = words * np.float32(WORDS_COUNT)
    told[NEUTRAL] = 0
    joined = 1 - (1 - model) * (1 - told)
    joined[NEUTRAL] = model[NEUTRAL] * (1 - told.max())
    return np.asarray(joined, dtype=np.float32)


def open_chinese(folder: Path = CHINESE) -> ChineseEmotions:
    """The model in `folder`.

    Raises:
        NotAvailable: a file is missing, is not the one that the card names, or holds something else.
    """
    classifier = load_chinese(folder)
    if classifier.labels != LABELS:
        raise NotAvailable(f"The {WHAT} in {folder.name!r} has other labels.")
    try:
        calibration = Calibration.model_validate(classifier.card["calibration"])
    except (LookupError, ValueError):
        raise NotAvailable(f"The {WHAT} in {folder.name!r} has no calibration.") from None
    return ChineseEmotions(classifier, load_classifier(folder / POLARITY, WHAT), calibration)
