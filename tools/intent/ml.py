"""Reads the intent with a model of examples; the rules stand in where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from tools.errors import ZhiyinError
from tools.intent.cues import FOLLOW_UP_TRUST, Cues
from tools.intent.decision import decide, intent_of
from tools.intent.models import IntentModels
from tools.intent.protocol import Intent, IntentLabel
from tools.intent.rules import RuleIntentDetector
from tools.models.protocol import Embedder, Language, Vectors


class MlIntentDetector:
    """An `IntentDetector` by examples and phrases; short follow-ups take the intent of the message before them.

    The message's sentence vector is asked of the shared encoder, which remembers it for the other steps of the turn.
    Where the language has no model, or the encoder cannot serve, the rules decide, and `decided_by` says so.
    """

    def __init__(self, models: IntentModels, embedder: Embedder, cues: Cues | None = None) -> None:
        self._models = models
        self._embedder = embedder
        self._cues = cues or Cues()
        self._rules = RuleIntentDetector(self._cues)

    async def detect(self, message: str, language: str, history: Sequence[str] = ()) -> Intent:
        """See `IntentDetector`; a language other than Chinese is read as English. Any text will do."""
        spoken: Language = "zh" if language.startswith("zh") else "en"
        asked, steps = self._cues.question_behind(message, history)
        model = self._models.current(spoken)
        # A message without a letter, a Han character or a digit shows nothing that examples could tell.
        if model is None or not any(sign.isalnum() for sign in asked):
            return await self._rules.detect(message, language, history)
        vectors: Vectors | None = None
        if model.examples is not None:
            try:
                vectors = await self._embedder.embed([asked])
            except ZhiyinError:
                return await self._rules.detect(message, language, history)
        probabilities = model.probabilities([asked], vectors)[0]
        nearness = 1.0 if vectors is None else float(model.nearness(vectors)[0])
        labels = cast("tuple[IntentLabel, ...]", model.classifier.labels)
        shares = decide(labels, probabilities, nearness, self._cues.scores(asked), spoken)
        return intent_of(shares, FOLLOW_UP_TRUST**steps)

    async def warm_up(self) -> None:
        """Wait until the models are there; without it the rules decide until they are."""
        await self._models.warm_up()

    async def close(self) -> None:
        """Let go of training that is under way."""
        await self._models.close()


def open_intent_detector(embedder: Embedder, data_dir: Path) -> MlIntentDetector:
    """A detector by the shipped examples and those in `data_dir / "intents"`; close it when done.

    Raises:
        ConfigurationError: an operator's file of examples cannot be used.
    """
    return MlIntentDetector(IntentModels(embedder, data_dir), embedder)
