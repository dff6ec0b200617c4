"""What the next reading of a series will be, and between which values it will probably lie.

Simple exponential smoothing; its rate is the one that would have foretold this series best, and the interval holds as
many of the coming readings as it would have held of the past ones (split conformal: V. Vovk et al., "Algorithmic
Learning in a Random World", 2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tools.emotion.robust import Floats

RATES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""How much of the past is forgotten with each reading; at 0 the expectation is the mean of all."""
WARM_UP = 4
"""Readings after which expectations start to count."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The value expected next, and the interval that will hold the reading with the probability asked for."""

    value: float
    low: float
    high: float


def next_after(values: Floats, weights: Floats, level: float = 0.8) -> Expected:
    """What follows `values`, shape (n,) with n > `WARM_UP`; a reading counts by its weight."""
    told = [_foretold(values, weights, 1 - rate) for rate in RATES]
    errors = np.stack([np.abs(values[WARM_UP:] - expected[WARM_UP - 1 : -1]) for expected in told])
    best = int(errors.mean(axis=1).argmin())
    value, missed = float(told[best][-1]), np.sort(errors[best])
    reach = float(missed[min(math.ceil((len(missed) + 1) * level), len(missed)) - 1])
    return Expected(value, value - reach, value + reach)


def _foretold(values: Floats, weights: Floats, kept: float) -> Floats:
    """What was expected after each reading, shape (n,): the mean of those so far, `kept` times lighter with each."""
    expected = np.empty(len(values))
    total = weight_so_far = 0.0
    for place, (value, weight) in enumerate(zip(values, weights, strict=True)):
        total = kept * total + weight * value
        weight_so_far = kept * weight_so_far + weight
        expected[place] = total / weight_so_far
    return expected
