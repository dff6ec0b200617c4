"""Steps are found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tools.emotion.series import autoregressive
from tools.emotion.change_points import SHORTEST, steps_in


def test_a_step_is_found_within_a_few_readings_and_measured() -> None:
    dice, found, sizes = np.random.default_rng(1), 0, []
    for _ in range(100):
        values = np.where(np.arange(60) < 35, -0.3, 0.4) + dice.normal(0, 0.25, 60)
        steps = steps_in(values, dice.uniform(0.3, 1, 60))
        near = [step for step in steps if abs(step.place - 35) <= 2]
        found += len(near) == 1
        sizes += [step.after - step.before for step in near]
    assert found >= 95
    assert np.mean(sizes) == pytest.approx(0.7, abs=0.05)


def test_several_steps_are_told_apart() -> None:
    dice = np.random.default_rng(2)
    levels = np.repeat([0.5, -0.4, 0.1], [30, 30, 40])
    steps = steps_in(levels + dice.normal(0, 0.15, 100), np.ones(100))
    assert [abs(step.place - place) <= 2 for step, place in zip(steps, (30, 60), strict=True)] == [True, True]
    assert steps[0].after == pytest.approx(steps[1].before)


@pytest.mark.parametrize(("n", "rho"), [(20, 0.0), (60, 0.0), (60, 0.4), (200, 0.4)])
def test_noise_about_one_level_is_seldom_taken_for_a_step(n: int, rho: float) -> None:
    dice = np.random.default_rng(n)
    alarms = sum(bool(steps_in(autoregressive(dice, n, rho, 0.3), dice.uniform(0.3, 1, n))) for _ in range(100))
    assert alarms <= 6


def test_a_steady_drift_is_a_trend_and_no_row_of_steps() -> None:
    dice = np.random.default_rng(4)
    drifts = [np.linspace(-0.7, 0.7, 80) + dice.normal(0, 0.15, 80) for _ in range(50)]
    assert sum(bool(steps_in(drift, np.ones(80))) for drift in drifts) <= 1


def test_a_moment_is_no_level() -> None:
    values = np.zeros(40)
    values[20:22] = 0.9
    assert steps_in(values, np.ones(40)) == []


def test_a_difference_too_small_to_matter_is_none_however_sure() -> None:
    values = np.repeat([0.30, 0.40], 200) + np.random.default_rng(6).normal(0, 0.01, 400)
    assert steps_in(values, np.ones(400)) == []


def test_readings_of_little_weight_make_no_step() -> None:
    values, weights = np.zeros(40), np.ones(40)
    values[34:], weights[34:] = 0.6, 0.01
    assert steps_in(values, weights) == []


@pytest.mark.parametrize("n", [1, 2, SHORTEST, 2 * SHORTEST - 1])
def test_a_series_too_short_for_two_levels_has_no_step(n: int) -> None:
    assert steps_in(np.linspace(-1, 1, n), np.ones(n)) == []
