"""Which way a series of readings goes: the Theil-Sen slope, weighted, with Sen's confidence interval.

P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968). With equal weights this is
`scipy.stats.theilslopes`; that knows no weights, and takes each reading for independent of the one before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tools.emotion.robust import Floats, inflation, persistence


@dataclass(frozen=True, slots=True)
class Slope:
    """Change of the value per unit of `x`, and the interval that holds the true one with the probability asked for."""

    value: float
    low: float
    high: float


def slope_of(x: Floats, y: Floats, weights: Floats, level: float = 0.95) -> Slope | None:
    """The weighted median of all pairwise slopes, and how far it can be trusted.

    `x` is ascending; all have shape (n,). A pair weighs as the product of its two. The interval inverts Kendall's
    test with the variance of its weighted statistic, inflated for readings that persist. None where the readings
    bound no slope: too few, too persistent, or all at one `x`. Takes n * n / 2 memory.
    """
    first, second = np.triu_indices(len(x), 1)
    apart = x[second] > x[first]
    first, second = first[apart], second[apart]
    if len(first) == 0:
        return None
    slopes = (y[second] - y[first]) / (x[second] - x[first])
    pair_weights = weights[first] * weights[second]
    order = np.argsort(slopes)
    ordered, reached = slopes[order], np.cumsum(pair_weights[order])
    total = reached[-1]
    z = NormalDist().inv_cdf((1 + level) / 2)
    reach = z * math.sqrt(_variance(weights) * inflation(persistence(y))) / total
    if reach >= 1:
        return None
    value, low, high = (_at(ordered, reached, share * total) for share in (0.5, (1 - reach) / 2, (1 + reach) / 2))
    return Slope(value, low, high)


def _at(ordered: Floats, reached: Floats, target: float) -> float:
    place = int(np.searchsorted(reached, target))
    return float(ordered[min(place, len(ordered) - 1)])


def _variance(weights: Floats) -> float:
    """The variance of the sum over pairs i < j of w_i w_j sign(y_j - y_i), were all orders of `y` equally likely.

    Two pairs that share a reading covary by 1/3, with the sign of their directions seen from it; the others do not.
    With equal weights this is Kendall's n (n - 1) (2n + 5) / 18.
    """
    squares = weights**2
    pairs = (squares.sum() ** 2 - (squares**2).sum()) / 2
    before = np.cumsum(weights) - weights
    after = weights.sum() - weights - before
    shared = (squares * ((after - before) ** 2 - (squares.sum() - squares))).sum()
    return float(pairs + shared / 3)
