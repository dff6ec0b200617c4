"""One score from many features: a weighted sum whose weights `scripts/train_fusion.py` learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from tools.knowledge.graph.features import NAMES

Floats = NDArray[np.float32]

Group = Literal["vectors", "words"]
WEIGHTS = Path(__file__).with_name("fusion_weights.json")
FALLBACK = {"walk": 11.5, "meaning_level": 4.6}
"""Without learned weights: log visits + .4 cosine, in logarithms to the base ten."""


@dataclass(frozen=True)
class Fusion:
    """`weights` in the order of `features.NAMES`; a score is 1 / (1 + exp(-(slope * sum + intercept)))."""

    weights: Floats
    slope: float = 1.0
    intercept: float = 0.0

    def score(self, features: Floats) -> Floats:
        """How likely each row of features is a passage that helps to answer, (p,), 0-1."""
        return (1 / (1 + np.exp(-(self.slope * (features @ self.weights) + self.intercept)))).astype(np.float32)


@cache
def learned(group: Group) -> Fusion:
    """The fusion for questions that have a vector, or for those that are found by words and the graph alone."""
    return read(WEIGHTS, group)


def read(path: Path, group: Group) -> Fusion:
    """A group's weights from a file; the fallback where there is none, or it is of other features."""
    if path.exists():
        stored = orjson.loads(path.read_bytes())
        if tuple(stored["features"]) == NAMES and group in stored["groups"]:
            found = stored["groups"][group]
            return Fusion(np.array(found["weights"], dtype=np.float32), found["slope"], found["intercept"])
    return Fusion(np.array([FALLBACK.get(name, 0.0) for name in NAMES], dtype=np.float32), 1.0, -12.0)
