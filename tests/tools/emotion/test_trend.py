"""Theil-Sen's slope against simulated truth, and against scipy's where the two mean the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import theilslopes

from tests.tools.emotion.series import autoregressive
from tools.emotion.trend import slope_of

ALIKE = np.ones


def test_with_equal_weights_it_is_scipys_slope_and_nearly_its_interval() -> None:
    dice = np.random.default_rng(3)
    for _ in range(20):
        x = np.sort(dice.uniform(0, 30, 60))
        y = 0.02 * x + dice.permutation(np.linspace(-0.4, 0.4, 60))
        ours, theirs = slope_of(x, y, ALIKE(60)), theilslopes(y, x, 0.95)
        assert ours is not None
        assert ours.value == pytest.approx(theirs.slope, abs=1e-4)
        # Ours is wider where the shuffled noise happens to persist, never narrower by more than a rank.
        assert ours.low <= theirs.low_slope + 1e-3
        assert ours.high >= theirs.high_slope - 1e-3


@pytest.mark.parametrize(("n", "rho", "least"), [(12, 0.0, 0.93), (40, 0.0, 0.93), (40, 0.4, 0.9), (120, 0.6, 0.9)])
def test_the_interval_holds_the_true_slope_as_often_as_it_says(n: int, rho: float, least: float) -> None:
    dice, held, slopes = np.random.default_rng(n), 0, []
    for _ in range(200):
        x = np.sort(dice.uniform(0, 30, n))
        weights = dice.uniform(0.2, 1.0, n)
        found = slope_of(x, 0.015 * x + autoregressive(dice, n, rho, 0.25), weights)
        if found is None:  # no bound at all holds it
            held += 1
            continue
        held += found.low <= 0.015 <= found.high
        slopes.append(found.value)
    assert held / 200 >= least
    assert np.mean(slopes) == pytest.approx(0.015, abs=0.006)


def test_ignoring_persistence_would_hold_it_far_less_often() -> None:
    dice, held = np.random.default_rng(5), 0
    for _ in range(100):
        x = np.arange(60.0)
        found = theilslopes(autoregressive(dice, 60, 0.6, 0.25), x, 0.95)
        held += found.low_slope <= 0 <= found.high_slope
    assert held / 100 < 0.8


def test_a_third_of_wild_readings_of_little_weight_moves_nothing() -> None:
    dice = np.random.default_rng(7)
    x = np.arange(60.0)
    y, weights = 0.01 * x + dice.normal(0, 0.05, 60), ALIKE(60)
    y[40:], weights[40:] = -1.0, 0.05
    found = slope_of(x, y, weights)
    assert found is not None
    assert found.value == pytest.approx(0.01, abs=0.003)


def test_too_few_readings_or_one_moment_bound_no_slope() -> None:
    assert slope_of(np.zeros(9), np.arange(9.0), ALIKE(9)) is None
    assert slope_of(np.arange(3.0), np.array([0.0, 0.5, 0.1]), ALIKE(3)) is None
    assert slope_of(np.zeros(1), np.zeros(1), ALIKE(1)) is None


def test_readings_that_are_all_alike_have_the_slope_nought() -> None:
    found = slope_of(np.arange(20.0), np.full(20, 0.3), ALIKE(20))
    assert found is not None
    assert (found.value, found.low, found.high) == (0, 0, 0)
