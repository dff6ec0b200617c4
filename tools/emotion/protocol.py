"""How it is felt: one reading of a message, and who can make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]
Sentiment = Literal["positive", "negative", "ambiguous", "neutral"]


@dataclass(frozen=True, slots=True)
class Emotion:
    """A primary GoEmotions label with its score (0-1), valence (-1..1), arousal (0..1) and intensity (0..1).

    `confidence` (0-1) is calibrated: of readings at 0.7, about 70 % have the right primary label. `decided_by` says
    who made it.
    """

    primary_emotion: str
    primary_score: float
    valence: float
    arousal: float
    intensity: float
    confidence: float
    decided_by: Literal["ml", "lexicon"]
    sentiment: Sentiment = "neutral"
    ekman: str = "neutral"
    """The strongest of Ekman's six families, or `neutral`."""
    plutchik: str = "neutral"
    """The strongest of Plutchik's eight primary emotions or of their dyads, or `neutral`."""
    all_emotions: Mapping[str, float] = field(default_factory=dict[str, float])
    """Probability of each of the 28 labels; several may hold at once, so they do not add up to 1."""
    sentiment_scores: Mapping[str, float] = field(default_factory=dict[str, float])
    ekman_scores: Mapping[str, float] = field(default_factory=dict[str, float])
    plutchik_scores: Mapping[str, float] = field(default_factory=dict[str, float])
    mixed_emotions: tuple[str, ...] = ()
    """Two or more labels of opposite valence and like strength, the strongest first; empty where one prevails."""
    is_sarcastic: bool = False
    sarcasm_confidence: float = 0.0
    """How likely (0-1) the words mean their opposite: a weak sign, which lowers `confidence` and flips nothing."""


class EmotionReader(Protocol):
    """Reads the emotion of messages. Never blocks the event loop, and takes any text: empty, huge, unreadable."""

    async def read(self, message: str, language: str, history: Sequence[str] = ()) -> Emotion:
        """Read `message`; `history` holds the user's earlier messages, oldest first.

        Raises:
            StoreUnavailable: too many messages wait to be read.
        """
        ...

    async def read_many(self, messages: Sequence[str]) -> Sequence[Emotion]:
        """Read messages that have nothing to do with one another, in order, each in its own language."""
        ...

    async def close(self) -> None:
        """Let go of models and threads."""
        ...


class EmotionModel(Protocol):
    """Finds the labels that a text carries; what they come to is worked out by `tools.emotion.reading`."""

    async def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """How likely each of `LABELS` holds for each text: (len(texts), 28), each 0-1.

        Any text is taken: what the model cannot read gives a row that is nearly all neutral.

        Raises:
            StoreUnavailable: too many texts wait.
            NotAvailable: the model cannot be loaded.
        """
        ...

    async def close(self) -> None:
        """Let go of the model and its thread."""
        ...
