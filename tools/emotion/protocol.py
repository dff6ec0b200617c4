"""How it is felt: one reading of a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Emotion:
    """A primary GoEmotions label with its score (0-1), valence (-1..1), arousal (0..1) and intensity (0..1).

    `confidence` (0-1) says how far the reading may be trusted; `decided_by` who made it.
    """

    primary_emotion: str
    primary_score: float
    valence: float
    arousal: float
    intensity: float
    confidence: float
    decided_by: Literal["ml", "lexicon"]


class EmotionReader(Protocol):
    """Reads the emotion of a message."""

    async def read(self, message: str, language: str, history: Sequence[str] = ()) -> Emotion:
        """Read `message`; `history` holds the user's earlier messages, oldest first."""
        ...
