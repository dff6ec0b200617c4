"""A user's mood over time: where it usually is, how it swings, where it is going, and when it changed.

Every reading counts by its confidence. What the readings are too few to tell is left out, never guessed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tools.emotion.change_points import SHORTEST, Step, steps_in
from tools.emotion.next_reading import Expected, next_after
from tools.emotion.robust import Floats, spread, weighted_median
from tools.emotion.trend import Slope, slope_of
from tools.stores.moods_protocol import Mood

FEW = 3
"""Readings without which there is no usual mood."""
ENOUGH = 8
"""Readings without which nothing is said of trend or what comes next; two levels take `2 * SHORTEST`."""
MOST_POINTS = 400
"""Longer series are joined, neighbour with neighbour, to at most so many points before their pairs are looked at."""
SMALLEST_CHANGE = 0.1
"""A trend that adds up to less over the time observed is no trend, however sure."""
LEAST_WEIGHT = 0.05
SECONDS_PER_DAY = 86_400.0

Trend = Literal["improving", "declining", "stable"]


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """From the reading at `at` on, median valence is `after`; until then, since the last change, it was `before`."""

    at: str
    turn_id: str | None
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class EmotionShare:
    """How much of the time an emotion prevailed: its `share` (0..1) of all confidence, and its readings."""

    emotion: str
    share: float
    count: int


@dataclass(frozen=True, slots=True)
class ExpectedMood:
    """The next reading: in 80 of 100 cases each of the two lies within its interval."""

    valence: Expected
    arousal: Expected


@dataclass(frozen=True, slots=True)
class Trajectory:
    """What a series of moods says; None (or nothing, in `change_points`) where it is too short to say."""

    dominant_emotions: Sequence[EmotionShare]
    baseline_valence: float | None = None
    valence_std: float | None = None
    baseline_arousal: float | None = None
    volatility: float | None = None
    """Root mean square of the change of valence from one reading to the next (RMSSD)."""
    trend: Trend | None = None
    slope: Slope | None = None
    """Change of valence per day, with its 95 % interval."""
    trend_line: tuple[float, float] | None = None
    """Valence on the trend's line at the first and at the last reading."""
    change_points: Sequence[ChangePoint] = ()
    expected_next: ExpectedMood | None = None
    insufficient: Sequence[str] = ()
    """Names of the figures that the readings are too few for."""


_OF_FEW = ("baseline_valence", "valence_std", "baseline_arousal", "volatility")
_OF_TREND = ("trend", "slope", "trend_line")
_OF_CHANGE = ("change_points",)
_OF_ENOUGH = (*_OF_TREND, *_OF_CHANGE, "expected_next")


def trajectory_of(moods: Sequence[Mood]) -> Trajectory:
    """The figures of moods in order of time. CPU-bound: some 20 ms for thousands of them."""
    emotions = _shares(moods)
    if len(moods) < FEW:
        return Trajectory(emotions, insufficient=(*_OF_FEW, *_OF_ENOUGH))
    valence, arousal, weights = _column(moods, "valence"), _column(moods, "arousal"), _weights(moods)
    usual = Trajectory(
        emotions,
        baseline_valence=weighted_median(valence, weights),
        valence_std=spread(valence, weights),
        baseline_arousal=weighted_median(arousal, weights),
        volatility=_volatility(valence, weights),
        insufficient=_OF_ENOUGH,
    )
    if len(moods) < ENOUGH:
        return usual
    starts = _joined_at(len(moods))
    days, level = _join(_days(moods), weights, starts), _join(valence, weights, starts)
    sure = np.add.reduceat(weights, starts)
    slope = slope_of(days, level, sure)
    line = _line(days, level, sure, slope) if slope else None
    return replace(
        usual,
        trend=_trend(slope, line) if slope and line else None,
        slope=slope,
        trend_line=line,
        change_points=[_change_at(moods[starts[step.place]], step) for step in steps_in(level, sure)],
        expected_next=ExpectedMood(_next(valence, weights, -1.0), _next(arousal, weights, 0.0)),
        insufficient=(*(() if slope else _OF_TREND), *(() if len(moods) >= 2 * SHORTEST else _OF_CHANGE)),
    )


def _column(moods: Sequence[Mood], name: str) -> Floats:
    return np.array([getattr(mood, name) for mood in moods], dtype=np.float64)


def _weights(moods: Sequence[Mood]) -> Floats:
    """Confidences; a reading that admits to knowing nothing still counts a little."""
    return np.clip(_column(moods, "confidence"), LEAST_WEIGHT, 1.0)


def _days(moods: Sequence[Mood]) -> Floats:
    """Days since the first reading."""
    seconds = np.array([datetime.fromisoformat(mood.at).timestamp() for mood in moods])
    return (seconds - seconds[0]) / SECONDS_PER_DAY


def _joined_at(n: int) -> NDArray[np.int64]:
    """The places where the groups of neighbours begin that `n` readings are joined to."""
    return np.arange(0, n, math.ceil(n / MOST_POINTS))


def _join(values: Floats, weights: Floats, starts: NDArray[np.int64]) -> Floats:
    """The weighted mean of each group."""
    return np.add.reduceat(values * weights, starts) / np.add.reduceat(weights, starts)


def _volatility(valence: Floats, weights: Floats) -> float:
    pairs = np.sqrt(weights[1:] * weights[:-1])
    return float(np.sqrt(np.average(np.diff(valence) ** 2, weights=pairs)))


def _change_at(first: Mood, step: Step) -> ChangePoint:
    return ChangePoint(first.at, first.turn_id, step.before, step.after)


def _line(days: Floats, level: Floats, weights: Floats, slope: Slope) -> tuple[float, float]:
    start = weighted_median(level - slope.value * days, weights)
    return start, start + slope.value * float(days[-1])


def _trend(slope: Slope, line: tuple[float, float]) -> Trend:
    if slope.low <= 0 <= slope.high or abs(line[1] - line[0]) < SMALLEST_CHANGE:
        return "stable"
    return "improving" if slope.value > 0 else "declining"


def _next(values: Floats, weights: Floats, lowest: float) -> Expected:
    """What comes next, within what such a reading can be (`lowest` to 1)."""
    found = next_after(values[-MOST_POINTS:], weights[-MOST_POINTS:])
    return Expected(found.value, max(found.low, lowest), min(found.high, 1.0))


def _shares(moods: Sequence[Mood]) -> Sequence[EmotionShare]:
    """Emotions by their share, the greatest first."""
    counts = Counter(mood.primary_emotion for mood in moods)
    sure = dict.fromkeys(counts, 0.0)
    for mood, weight in zip(moods, _weights(moods).tolist(), strict=True):
        sure[mood.primary_emotion] += weight
    total = sum(sure.values())
    ranked = sorted(sure.items(), key=lambda item: (-item[1], item[0]))
    return [EmotionShare(emotion, share / total, counts[emotion]) for emotion, share in ranked]
