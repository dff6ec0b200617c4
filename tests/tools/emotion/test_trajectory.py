"""A user's mood over weeks, made up so that the truth is known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.tools.emotion.series import autoregressive
from tools.emotion.trajectory import ENOUGH, FEW, Trajectory, trajectory_of
from tools.stores.moods_protocol import Mood

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)


def moods(valences: Iterable[float], hours: float = 12, confidence: float = 0.8, emotion: str = "joy") -> list[Mood]:
    """Readings `hours` apart."""
    at = [(BEGINNING + timedelta(hours=hours * place)).isoformat() for place in range(10_000)]
    return [
        Mood(emotion, max(-1.0, min(1.0, float(valence))), 0.4, 0.5, confidence, "ml", at[place], f"turn_{place}")
        for place, valence in enumerate(valences)
    ]


def around(level: float, n: int, seed: int = 1, sigma: float = 0.15) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return level + np.random.default_rng(seed).normal(0, sigma, n)


def withheld(found: Trajectory) -> set[str]:
    return {name for name in found.insufficient if getattr(found, name) in (None, ())}


@pytest.mark.parametrize("n", range(ENOUGH))
def test_too_few_readings_are_said_to_be_too_few(n: int) -> None:
    found = trajectory_of(moods([0.1, 0.9, -0.5, 0.3, 0.2, 0.0, 0.8][:n]))
    assert (found.trend, found.slope, found.trend_line, found.expected_next, found.change_points) == (
        *(None,) * 4,
        (),
    )
    assert withheld(found) == set(found.insufficient)
    assert (found.baseline_valence is None) == (n < FEW)
    assert ("volatility" in found.insufficient) == (n < FEW)


def test_usual_mood_and_swing_are_those_the_readings_came_from() -> None:
    found = trajectory_of(moods(around(0.2, 1_000)))
    assert found.baseline_valence == pytest.approx(0.2, abs=0.03)
    assert found.valence_std == pytest.approx(0.15, abs=0.02)
    assert found.baseline_arousal == pytest.approx(0.4)
    assert found.insufficient == ()


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_volatility_is_small_where_moods_last(rho: float) -> None:
    valences = autoregressive(np.random.default_rng(2), 2_000, rho, 0.2)
    assert trajectory_of(moods(valences)).volatility == pytest.approx(0.2 * math.sqrt(2 * (1 - rho)), rel=0.06)


@pytest.mark.parametrize(
    ("rise", "trend"), [(0.8, "improving"), (-0.8, "declining"), (0.0, "stable"), (0.05, "stable")]
)
def test_the_trend_is_named_by_where_its_interval_lies(rise: float, trend: str) -> None:
    found = trajectory_of(moods(around(0, 61, sigma=0.1) + rise * np.linspace(0, 1, 61)))
    assert found.trend == trend
    assert found.slope is not None
    assert found.slope.low <= rise / 30 <= found.slope.high
    assert found.trend_line is not None
    assert found.trend_line[1] - found.trend_line[0] == pytest.approx(30 * found.slope.value)


@pytest.mark.parametrize(("n", "rho"), [(12, 0.0), (60, 0.0), (60, 0.5)])
def test_a_mood_that_goes_nowhere_is_seldom_said_to(n: int, rho: float) -> None:
    dice = np.random.default_rng(n)
    told = [trajectory_of(moods(autoregressive(dice, n, rho, 0.25))).trend for _ in range(100)]
    assert sum(trend in {"improving", "declining"} for trend in told) <= 8


def test_a_sure_reading_outweighs_many_guesses() -> None:
    sure, guesses = moods([0.7] * 10, confidence=1.0), moods([-0.6] * 15, confidence=0.1, emotion="anger")
    found = trajectory_of(sorted([*sure, *guesses], key=lambda mood: mood.at))
    assert found.baseline_valence == pytest.approx(0.7)
    assert [share.emotion for share in found.dominant_emotions] == ["joy", "anger"]
    assert found.dominant_emotions[0].share == pytest.approx(10 / 11.5)
    assert [share.count for share in found.dominant_emotions] == [10, 15]


def test_a_change_is_dated_by_the_first_reading_of_the_new_level() -> None:
    readings = moods([*around(-0.4, 30), *around(0.4, 20)])
    (change,) = trajectory_of(readings).change_points
    assert change.at in {mood.at for mood in readings[29:32]}
    assert change.turn_id in {mood.turn_id for mood in readings[29:32]}
    assert (change.before, change.after) == pytest.approx((-0.4, 0.4), abs=0.1)


def test_the_next_reading_is_expected_within_what_a_reading_can_be() -> None:
    found = trajectory_of(moods(around(0.95, 40, sigma=0.2))).expected_next
    assert found is not None
    assert -1 <= found.valence.low <= found.valence.value <= found.valence.high <= 1
    assert found.arousal.value == pytest.approx(0.4)
    assert found.arousal.low >= 0


def test_thousands_of_readings_are_joined_and_say_the_same() -> None:
    dice = np.random.default_rng(9)
    valences = np.concatenate([dice.normal(-0.3, 0.2, 900), dice.normal(0.3, 0.2, 1_000)])
    found = trajectory_of(moods(valences, hours=1))
    (change,) = found.change_points
    assert datetime.fromisoformat(change.at) - BEGINNING == pytest.approx(timedelta(hours=900), abs=timedelta(hours=12))
    assert found.trend == "improving"


def test_two_levels_take_more_readings_than_a_trend() -> None:
    found = trajectory_of(moods([-0.6, -0.5, -0.2, -0.1, 0.1, 0.15, 0.4, 0.6]))
    assert (found.trend, found.change_points, found.insufficient) == ("improving", [], ("change_points",))


def test_readings_of_one_moment_have_no_trend() -> None:
    found = trajectory_of(moods([0.2, 0.3, 0.1] * 5, hours=0))
    assert (found.trend, found.slope) == (None, None)
    assert set(found.insufficient) == {"trend", "slope", "trend_line"}
    assert found.baseline_valence == pytest.approx(0.2)
