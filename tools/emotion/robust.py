"""Location, spread and persistence of a series of readings that are not all equally sure.

Values and weights are arrays of shape (n,), n >= 1; weights are positive and count relative to one another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TAIL = 0.1
"""The share of weight at each end that is drawn in to the quantile there before spread is measured."""
DRAWN_IN = 0.8238
"""The standard deviation of a standard normal variable whose tails of 10 % are drawn in."""
MOST_PERSISTENT = 0.9
"""Persistence is believed up to here: past it a few dozen readings cannot tell a level from a drift."""


def weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    """The least value below or at which `share` (0..1) of the weight lies; between two, where it falls, their mean."""
    order = np.argsort(values, kind="stable")
    ordered, reached = values[order], np.cumsum(weights[order])
    target = share * reached[-1]
    tolerance = 1e-9 * reached[-1]
    place = min(int(np.searchsorted(reached, target - tolerance)), len(ordered) - 1)
    if abs(reached[place] - target) <= tolerance and place + 1 < len(ordered):
        return float((ordered[place] + ordered[place + 1]) / 2)
    return float(ordered[place])


def weighted_median(values: Floats, weights: Floats) -> float:
    """The value that halves the weight."""
    return weighted_quantile(values, weights, 0.5)


def spread(values: Floats, weights: Floats) -> float:
    """The standard deviation as a normal variable's, blind to a tenth of the weight at either end.

    The median absolute deviation would be 0 as soon as half the readings are alike, which neutral ones are.
    """
    low, high = (weighted_quantile(values, weights, share) for share in (TAIL, 1 - TAIL))
    drawn = np.clip(values, low, high)
    mean = np.average(drawn, weights=weights)
    return float(np.sqrt(np.average((drawn - mean) ** 2, weights=weights)) / DRAWN_IN)


def persistence(values: Floats) -> float:
    """How much of a deviation carries over to the next reading, 0..0.9: the `rho` of a first-order autoregression.

    Taken from the differences, whose autocorrelation is -(1 - rho) / 2: a trend is a constant there, and a step one
    outlier, which is drawn in; neither looks like persistence.
    """
    differences = np.diff(values)
    if len(differences) < 3:
        return 0.0
    low, high = np.quantile(differences, (TAIL / 2, 1 - TAIL / 2))
    centred = np.clip(differences, low, high)
    centred -= centred.mean()
    variance = float(centred @ centred)
    if variance < 1e-12:
        return 0.0
    carried = float(centred[1:] @ centred[:-1]) / variance
    return min(max(1 + 2 * carried, 0.0), MOST_PERSISTENT)


def inflation(rho: float) -> float:
    """By how much the variance of a mean of readings grows when `rho` of each deviation carries over."""
    return (1 + rho) / (1 - rho)
