"""What a model's probabilities are worth, learnt from labelled messages that it was not trained on."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tools.emotion.labels import AROUSAL, LABELS, VALENCE
from tools.emotion.protocol import Probabilities

OfLabels = Annotated[tuple[float, ...], Field(min_length=len(LABELS), max_length=len(LABELS))]


class FeelingMap(BaseModel):
    """Linear maps from the square roots of the 28 probabilities to valence and arousal.

    Of probabilities, their roots and their log odds, the roots follow the ratings of EmoBank best.
    """

    model_config = ConfigDict(frozen=True)

    valence: OfLabels
    valence_bias: float
    arousal: OfLabels
    arousal_bias: float


class Calibration(BaseModel):
    """The part of an artefact's card that `read_emotion` needs; every model of emotion comes with its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    thresholds: OfLabels
    """Probability (0-1) from which each label counts as there, in the order of `LABELS`."""
    confidence: tuple[float, float, float]
    """Weights of a logistic map from the log odds of the primary label, those of its nearest rival, and 1."""
    feeling: FeelingMap | None = None
    """Without one, valence and arousal are the labels' own, each as likely as its label."""
    context_weight: float = 0.0
    """How far (0-1) the log odds of a message move towards those of the user's message before it."""

    def confidence_of(self, primary: float, rival: float) -> float:
        """How likely (0-1) the primary label is right, from its probability and its rival's."""
        a, b, c = self.confidence
        return float(1 / (1 + np.exp(-(a * log_odds(primary) + b * log_odds(rival) + c))))

    def feeling_of(self, row: Probabilities) -> tuple[float, float]:
        """Valence (-1..1) and arousal (0..1) of a message whose labels have the probabilities `row` (28,)."""
        if self.feeling is None:
            weights = row / max(float(row.sum()), 1e-6)
            valence, arousal = float(weights @ VALENCE), float(weights @ AROUSAL)
        else:
            roots = np.sqrt(row)
            valence = float(roots @ np.array(self.feeling.valence)) + self.feeling.valence_bias
            arousal = float(roots @ np.array(self.feeling.arousal)) + self.feeling.arousal_bias
        return min(1.0, max(-1.0, valence)), min(1.0, max(0.0, arousal))


def log_odds(probability: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """The logit of probabilities, kept off 0 and 1."""
    kept = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(kept / (1 - kept))
