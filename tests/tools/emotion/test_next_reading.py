"""What comes next lies within the interval as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tools.emotion.series import autoregressive
from tools.emotion.next_reading import next_after


@pytest.mark.parametrize(("n", "rho"), [(12, 0.0), (40, 0.0), (40, 0.6), (150, 0.9)])
def test_the_interval_holds_the_next_reading_in_eighty_of_a_hundred_cases(n: int, rho: float) -> None:
    dice, held = np.random.default_rng(n), 0
    for _ in range(400):
        values = autoregressive(dice, n + 1, rho, 0.3)
        expected = next_after(values[:-1], dice.uniform(0.3, 1, n))
        held += expected.low <= values[-1] <= expected.high
    assert 0.74 <= held / 400 <= 0.9


def test_what_lasts_is_followed_and_what_does_not_is_averaged() -> None:
    dice, misses = np.random.default_rng(3), {0.0: [0.0, 0.0], 0.95: [0.0, 0.0]}
    for rho, (sums) in misses.items():
        for _ in range(100):
            values = autoregressive(dice, 61, rho, 0.3)
            sums[0] += abs(next_after(values[:-1], np.ones(60)).value - values[-1])
            sums[1] += abs(values[-2] - values[-1])
    assert misses[0.0][0] < 0.8 * misses[0.0][1]
    assert misses[0.95][0] < 1.15 * misses[0.95][1]


def test_the_expectation_is_unbiased() -> None:
    dice = np.random.default_rng(4)
    values = [next_after(0.2 + autoregressive(dice, 40, 0.3, 0.3), np.ones(40)).value for _ in range(200)]
    assert np.mean(values) == pytest.approx(0.2, abs=0.03)


def test_a_reading_of_no_weight_changes_no_expectation() -> None:
    values, weights = np.full(20, 0.4), np.ones(20)
    values[-1], weights[-1] = -1.0, 1e-6
    assert next_after(values, weights).value == pytest.approx(0.4, abs=1e-3)


def test_readings_that_are_all_alike_leave_no_doubt() -> None:
    expected = next_after(np.full(10, 0.25), np.ones(10))
    assert (expected.value, expected.low, expected.high) == pytest.approx((0.25, 0.25, 0.25))
