"""The 28 labels of GoEmotions, and what coarser taxonomies make of each.

Sentiment and Ekman families are those of the GoEmotions paper (Demszky et al. 2020, ACL). Plutchik's are ours: a label
that bears the name of one of his dyads ("A psychoevolutionary theory of emotion", 1980) counts for both its parts, any
other for the one that it is a shade of. Valence and arousal are ours too: how a person in that state feels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.emotion.protocol import Sentiment


class Label(NamedTuple):
    """One label: its group in each taxonomy, valence (-1..1) and arousal (0..1)."""

    name: str
    sentiment: Sentiment
    ekman: str
    plutchik: tuple[str, ...]
    valence: float
    arousal: float


TABLE: tuple[Label, ...] = (
    Label("admiration", "positive", "joy", ("trust",), 0.75, 0.5),
    Label("amusement", "positive", "joy", ("joy",), 0.7, 0.6),
    Label("anger", "negative", "anger", ("anger",), -0.8, 0.9),
    Label("annoyance", "negative", "anger", ("anger",), -0.5, 0.6),
    Label("approval", "positive", "joy", ("trust",), 0.45, 0.3),
    Label("caring", "positive", "joy", ("trust",), 0.4, 0.3),
    Label("confusion", "ambiguous", "surprise", ("surprise",), -0.2, 0.45),
    Label("curiosity", "ambiguous", "surprise", ("anticipation",), 0.2, 0.5),
    Label("desire", "positive", "joy", ("anticipation",), 0.3, 0.6),
    Label("disappointment", "negative", "sadness", ("sadness",), -0.6, 0.35),
    Label("disapproval", "negative", "anger", ("surprise", "sadness"), -0.5, 0.45),
    Label("disgust", "negative", "disgust", ("disgust",), -0.75, 0.65),
    Label("embarrassment", "negative", "sadness", ("fear",), -0.5, 0.55),
    Label("excitement", "positive", "joy", ("joy",), 0.8, 0.9),
    Label("fear", "negative", "fear", ("fear",), -0.75, 0.85),
    Label("gratitude", "positive", "joy", ("joy",), 0.75, 0.45),
    Label("grief", "negative", "sadness", ("sadness",), -0.9, 0.5),
    Label("joy", "positive", "joy", ("joy",), 0.85, 0.65),
    Label("love", "positive", "joy", ("joy", "trust"), 0.85, 0.6),
    Label("nervousness", "negative", "fear", ("fear",), -0.45, 0.7),
    Label("optimism", "positive", "joy", ("anticipation", "joy"), 0.6, 0.45),
    Label("pride", "positive", "joy", ("joy",), 0.7, 0.55),
    Label("realization", "ambiguous", "surprise", ("surprise",), 0.1, 0.4),
    Label("relief", "positive", "joy", ("joy",), 0.55, 0.25),
    Label("remorse", "negative", "sadness", ("sadness", "disgust"), -0.6, 0.4),
    Label("sadness", "negative", "sadness", ("sadness",), -0.75, 0.3),
    Label("surprise", "ambiguous", "surprise", ("surprise",), 0.15, 0.75),
    Label("neutral", "neutral", "neutral", ("neutral",), 0.0, 0.2),
)

LABELS: tuple[str, ...] = tuple(label.name for label in TABLE)
"""In their published order, `neutral` last: the order of every row of probabilities."""
NEUTRAL = LABELS.index("neutral")
VALENCE: NDArray[np.float32] = np.array([label.valence for label in TABLE], dtype=np.float32)
AROUSAL: NDArray[np.float32] = np.array([label.arousal for label in TABLE], dtype=np.float32)

SENTIMENTS: tuple[Sentiment, ...] = ("positive", "negative", "ambiguous", "neutral")
EKMAN = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
PLUTCHIK = ("joy", "trust", "fear", "surprise", "sadness", "disgust", "anger", "anticipation", "neutral")
DYADS: Mapping[str, tuple[str, str]] = {
    "love": ("joy", "trust"),
    "submission": ("trust", "fear"),
    "awe": ("fear", "surprise"),
    "disapproval": ("surprise", "sadness"),
    "remorse": ("sadness", "disgust"),
    "contempt": ("disgust", "anger"),
    "aggressiveness": ("anger", "anticipation"),
    "optimism": ("anticipation", "joy"),
}
"""Plutchik's primary dyads: two neighbours on his wheel that are felt together."""


def membership(groups: Sequence[str], of: Sequence[tuple[str, ...]]) -> NDArray[np.bool_]:
    """Which label counts for which group: (28, groups), `of` naming the groups of each label."""
    return np.array([[group in its for group in groups] for its in of])


OF_SENTIMENT = membership(SENTIMENTS, [(label.sentiment,) for label in TABLE])
OF_EKMAN = membership(EKMAN, [(label.ekman,) for label in TABLE])
OF_PLUTCHIK = membership(PLUTCHIK, [label.plutchik for label in TABLE])
