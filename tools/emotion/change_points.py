"""Where a series of readings steps to another level and stays there.

Optimal partitioning (B. Jackson et al., IEEE Signal Processing Letters 12, 2005): of all ways to cut the series into
stretches of constant mean, the one with the least weighted squared error plus a penalty for each cut. A straight line
through all readings competes with them: what it tells as well is a trend, and no row of steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tools.emotion.robust import Floats, inflation, persistence, spread, weighted_median

SHORTEST = 5
"""Readings in a stretch, at least: two strong ones among them are a moment, and leave its median where it was."""
SMALLEST_STEP = 0.15
"""Levels closer than this are one, however sure the difference is."""
LEAST_NOISE = 0.05
"""Noise is never taken for less: a row of equal readings would make the next one a new level."""
PENALTY = 3.0
"""What a cut costs, in noise variances per natural logarithm of the number of readings."""


@dataclass(frozen=True, slots=True)
class Step:
    """From the reading at `place` (0-based) on, the median is `after`; in the stretch up to it, it was `before`."""

    place: int
    before: float
    after: float


def steps_in(values: Floats, weights: Floats) -> Sequence[Step]:
    """All steps, in order. `values` and `weights` have shape (n,); takes time n * n."""
    weights = weights / weights.mean()
    noise = max(_noise(values), LEAST_NOISE)
    penalty = PENALTY * noise**2 * inflation(persistence(values)) * math.log(max(len(values), 2))
    edges = [0, *_cuts(values, weights, penalty), len(values)]
    means = [np.average(values[a:b], weights=weights[a:b]) for a, b in pairwise(edges)]
    stepped = _error(values, weights, np.repeat(means, np.diff(edges))) + penalty * (len(means) - 1)
    if _error(values, weights, _line(values, weights)) + penalty <= stepped:
        return []
    while True:
        levels = [weighted_median(values[a:b], weights[a:b]) for a, b in pairwise(edges)]
        sizes = [abs(after - before) for before, after in pairwise(levels)]
        if not sizes or min(sizes) >= SMALLEST_STEP:
            return [Step(edges[i + 1], before, after) for i, (before, after) in enumerate(pairwise(levels))]
        del edges[sizes.index(min(sizes)) + 1]


def _noise(values: Floats) -> float:
    """The standard deviation of readings about their level, from successive differences, which steps hardly touch."""
    differences = np.diff(values)
    if len(differences) == 0:
        return 0.0
    rho = persistence(values)
    return spread(differences, np.ones(len(differences))) / math.sqrt(2 * (1 - rho))


def _cuts(values: Floats, weights: Floats, penalty: float) -> Sequence[int]:
    """The best places to cut, ascending."""
    n = len(values)
    w, wx, wxx = (np.concatenate(([0.0], np.cumsum(part))) for part in (weights, weights * values, weights * values**2))
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    cut_before = np.zeros(n + 1, dtype=int)
    for end in range(SHORTEST, n + 1):
        starts = np.arange(end - SHORTEST + 1)
        errors = wxx[end] - wxx[starts] - (wx[end] - wx[starts]) ** 2 / (w[end] - w[starts])
        costs = best[starts] + errors + penalty
        cut_before[end] = costs.argmin()
        best[end] = costs[cut_before[end]]
    cuts: list[int] = []
    place = int(cut_before[n])
    while place > 0:
        cuts.append(place)
        place = int(cut_before[place])
    return cuts[::-1]


def _error(values: Floats, weights: Floats, told: Floats) -> float:
    return float((weights * (values - told) ** 2).sum())


def _line(values: Floats, weights: Floats) -> Floats:
    """The weighted least-squares line over the places of the readings."""
    places = np.arange(len(values), dtype=np.float64)
    places -= np.average(places, weights=weights)
    mean = np.average(values, weights=weights)
    spread_of_places = (weights * places**2).sum()
    rise = (weights * places * (values - mean)).sum() / spread_of_places if spread_of_places > 0 else 0.0
    return mean + rise * places
