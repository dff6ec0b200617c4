"""Reads emotion in either language, and in both at once: each stretch of a message goes to the model of its script.

A message without letters, or one whose model is missing, is read by words alone, and `decided_by` says so.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
import structlog

from tools.emotion.calibration import Calibration
from tools.emotion.lexicon import CALIBRATION
from tools.emotion.lexicon_words import Lexicon, open_lexicon
from tools.emotion.protocol import Emotion, EmotionModel, Probabilities
from tools.emotion.reading import read_emotion
from tools.emotion.sarcasm import SarcasmDetector
from tools.errors import NotAvailable
from tools.models.protocol import Language

log = structlog.get_logger(__name__)

MAX_CHARS = 4000
"""Characters of a message that are read, half of these at each end."""
AT_ONCE = 64
"""Messages of one call whose models are asked together."""
LETTERS_PER_SIGN = 3
"""Latin letters that weigh as much as one Chinese character: both say about as much."""

_STRETCH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[A-Za-z\u00c0-\u024f]+")


class CalibratedModel(EmotionModel, Protocol):
    """A model with what its probabilities are worth."""

    @property
    def calibration(self) -> Calibration:
        """Thresholds, confidence and the rest."""
        ...


class _Part(NamedTuple):
    """What of a message is in one language, and how much of the whole that is (0-1)."""

    language: Language
    text: str
    share: float


class _Read(NamedTuple):
    """What the models say of one message: labels (28,), how likely it is sarcastic, and by whose standards."""

    row: Probabilities
    sarcasm: float
    calibration: Calibration
    decided_by: Literal["ml", "lexicon"]


class JoinedEmotionReader:
    """An `EmotionReader` over a model per language and the lexicon."""

    def __init__(
        self,
        models: Mapping[Language, CalibratedModel],
        sarcasm: SarcasmDetector | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        """Without a model for a language its stretches are read by words; `sarcasm` judges English alone."""
        self._models, self._sarcasm, self._lexicon = dict(models), sarcasm, lexicon or open_lexicon()
        self._missed = set[Language]()

    async def read(self, message: str, language: str, history: Sequence[str] = ()) -> Emotion:
        """See `EmotionReader`. What is read follows from the letters of the message, not from `language`."""
        own, *earlier = await asyncio.gather(*(self._read(text) for text in (message, *history[-1:])))
        return _emotion_of(message, own, earlier[0].row if earlier else None)

    async def read_many(self, messages: Sequence[str]) -> Sequence[Emotion]:
        """See `EmotionReader`."""
        found = list[Emotion]()
        for start in range(0, len(messages), AT_ONCE):
            chosen = messages[start : start + AT_ONCE]
            readings = await self._read_together(chosen)
            found += [_emotion_of(text, reading) for text, reading in zip(chosen, readings, strict=True)]
        return found

    async def close(self) -> None:
        """Close the models."""
        for model in self._models.values():
            await model.close()

    async def _read(self, message: str) -> _Read:
        return (await self._read_together([message]))[0]

    async def _read_together(self, messages: Sequence[str]) -> list[_Read]:
        parts = [parts_of(shortened(message)) for message in messages]
        rows = dict[tuple[Language, str], Probabilities]()
        for language in ("zh", "en"):
            texts = list(dict.fromkeys(part.text for its in parts for part in its if part.language == language))
            for text, row in zip(texts, await self._rows(language, texts), strict=False):
                rows[language, text] = row
        return [self._joined(message, its, rows) for message, its in zip(messages, parts, strict=True)]

    async def _rows(self, language: Language, texts: Sequence[str]) -> Sequence[Probabilities]:
        """Rows of the texts; none where the language's model is missing, which is logged once."""
        model = self._models.get(language)
        if model is None or not texts:
            return ()
        try:
            return list(await model.probabilities(texts))
        except NotAvailable as error:
            if language not in self._missed:
                log.warning("emotion.model_missing", language=language, error=str(error))
                self._missed.add(language)
            return ()

    def _joined(
        self, message: str, parts: Sequence[_Part], rows: Mapping[tuple[Language, str], Probabilities]
    ) -> _Read:
        """The parts' rows by their shares. Where one of them has no model, words decide on the whole message."""
        if not parts or any((part.language, part.text) not in rows for part in parts):
            return _Read(self._lexicon.probabilities(shortened(message)), 0.0, CALIBRATION, "lexicon")
        found = [rows[part.language, part.text] for part in parts]
        row = np.sum([part.share * its for part, its in zip(parts, found, strict=True)], axis=0)
        longest = max(parts, key=lambda part: part.share)
        return _Read(row, self._sarcastic(parts, found), self._models[longest.language].calibration, "ml")

    def _sarcastic(self, parts: Sequence[_Part], rows: Sequence[Probabilities]) -> float:
        """How likely (0-1) the English of the message means its opposite, by its share."""
        if self._sarcasm is None:
            return 0.0
        return sum(
            part.share * float(self._sarcasm.probabilities([part.text], row[np.newaxis])[0])
            for part, row in zip(parts, rows, strict=True)
            if part.language == "en"
        )


def parts_of(message: str) -> tuple[_Part, ...]:
    """The message by script: at most one part per language, none where there are no letters of either.

    Signs, digits and emoji stay with the letters before them, those at the start with the first.
    """
    texts, sizes = dict[Language, str](), dict[Language, float]()
    stretches = list(_STRETCH.finditer(message))
    starts = [0, *(stretch.start() for stretch in stretches[1:]), len(message)]
    before: Language | None = None
    for stretch, start, end in zip(stretches, starts, starts[1:], strict=False):
        latin = stretch[0] < "\u3400"
        language: Language = "en" if latin else "zh"
        gap = "" if before in (language, None) else " "
        texts[language] = texts.get(language, "") + gap + message[start:end]
        sizes[language] = sizes.get(language, 0.0) + len(stretch[0]) / (LETTERS_PER_SIGN if latin else 1)
        before = language
    total = sum(sizes.values())
    return tuple(_Part(language, text.strip(), sizes[language] / total) for language, text in texts.items())


def shortened(message: str) -> str:
    """Both ends of a long message, with a gap between them."""
    return message if len(message) <= MAX_CHARS else f"{message[: MAX_CHARS // 2]} {message[-MAX_CHARS // 2 :]}"


def _emotion_of(message: str, read: _Read, earlier: Probabilities | None = None) -> Emotion:
    return read_emotion(
        shortened(message),
        read.row,
        read.calibration,
        earlier=earlier,
        sarcasm=read.sarcasm,
        decided_by=read.decided_by,
    )
