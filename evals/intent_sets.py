"""Figures and cuts that the intent suites share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evals.report import Metric, proportion
from tools.models.text_classifier.vocabulary import Floats

BINS = 10


def half_of(group: str) -> int:
    """0 or 1, the same for all rows of `group` (a dialogue) and for every run."""
    return hashlib.sha256(group.encode()).digest()[0] % 2


def threshold_losing(share: float, right: NDArray[np.bool_], sure: Floats) -> float:
    """The highest threshold on `sure` below which at most `share` of all messages are right ones."""
    lost = np.sort(sure[right])
    return float(lost[min(len(lost) - 1, int(share * len(right)))])


def auroc(above: Floats, below: Floats) -> Metric:
    """How often one of `above` is higher than one of `below`, ties half; Hanley and McNeil's interval (1982)."""
    order = np.sort(below)
    higher = np.searchsorted(order, above, "left") + np.searchsorted(order, above, "right")
    area = float(higher.sum()) / 2 / (len(above) * len(below))
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (len(above) - 1) * (first - area**2) + (len(below) - 1) * (second - area**2)
    half = 1.959964 * float(np.sqrt(spread / (len(above) * len(below))))
    return Metric(area, max(0.0, area - half), min(1.0, area + half), len(above) + len(below))


def ece(found: Sequence[tuple[float, bool]]) -> Metric:
    """Expected calibration error: the mean gap between confidence and share of right ones, in bins of a tenth."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for sure, right in found:
        bins[min(BINS - 1, int(sure * BINS))].append((sure, right))
    gaps = [abs(sum(sure for sure, _ in cell) - sum(right for _, right in cell)) for cell in bins]
    value = sum(gaps) / len(found) if found else 0.0
    around = proportion(round(value * len(found)), len(found))
    return Metric(value, min(value, around.low), max(value, around.high), len(found))
