"""Location, spread and persistence against what they were drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tools.emotion.series import autoregressive
from tools.emotion.robust import persistence, spread, weighted_median, weighted_quantile


def test_with_equal_weights_the_median_is_numpys() -> None:
    dice = np.random.default_rng(1)
    for n in (1, 2, 5, 6, 101):
        values = dice.normal(size=n)
        assert weighted_median(values, np.ones(n)) == pytest.approx(np.median(values))


def test_a_weight_of_three_is_three_readings() -> None:
    values, weights = np.array([-0.5, 0.1, 0.8]), np.array([1.0, 3.0, 2.0])
    repeated = np.repeat(values, [1, 3, 2])
    for share in (0.1, 0.25, 0.5, 0.7, 0.9):
        single = weighted_quantile(values, weights, share)
        assert single == pytest.approx(weighted_quantile(repeated, np.ones(6), share))


def test_the_spread_of_normal_readings_is_their_standard_deviation() -> None:
    values = np.random.default_rng(2).normal(0.2, 0.3, 20_000)
    assert spread(values, np.ones(20_000)) == pytest.approx(0.3, rel=0.03)


def test_a_few_wild_readings_hardly_move_the_spread_and_many_neutral_ones_do_not_hide_it() -> None:
    values = np.random.default_rng(3).normal(0, 0.2, 500)
    calm = spread(values, np.ones(500))
    values[:15] = 1.0
    assert spread(values, np.ones(500)) == pytest.approx(calm, rel=0.12)
    half_neutral = np.concatenate([np.zeros(60), np.full(40, 0.6)])
    assert spread(half_neutral, np.ones(100)) > 0.25
    assert spread(np.full(9, 0.4), np.ones(9)) == pytest.approx(0)


@pytest.mark.parametrize("rho", [0.0, 0.4, 0.8])
def test_persistence_is_found_whatever_the_series_trends_or_steps(rho: float) -> None:
    dice = np.random.default_rng(4)
    trend, step = np.linspace(-0.5, 0.5, 300), np.where(np.arange(300) < 150, -0.4, 0.4)
    for shape in (0.0, trend, step):
        found = [persistence(shape + autoregressive(dice, 300, rho, 0.25)) for _ in range(30)]
        assert np.mean(found) == pytest.approx(rho, abs=0.12)


def test_too_few_or_equal_readings_persist_not_at_all() -> None:
    assert persistence(np.array([0.1, 0.9, 0.3])) == 0
    assert persistence(np.full(50, 0.2)) == 0
