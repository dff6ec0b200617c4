"""Percentiles that survive being added up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.observability.histogram import Durations

SECONDS = st.lists(st.floats(1e-7, 100), max_size=50)


def counted(values: list[float], *, ok: bool = True) -> Durations:
    durations = Durations()
    for value in values:
        durations.add(value, ok)
    return durations


def test_quantiles_are_within_a_bucket_of_the_truth() -> None:
    rng = random.Random(7)
    values = [rng.lognormvariate(-4, 1) for _ in range(5_000)]
    durations = counted(values)
    for q in (0.5, 0.95, 0.99):
        truth = sorted(values)[int(q * len(values))] * 1000
        assert durations.quantile_ms(q) == pytest.approx(truth, rel=0.08)
    assert durations.mean_ms == pytest.approx(sum(values) / len(values) * 1000)


@given(SECONDS, SECONDS)
def test_adding_two_up_is_the_same_as_counting_at_once(one: list[float], other: list[float]) -> None:
    both = counted(one)
    for value in other:
        both.add(value, ok=False)
    apart = counted(one)
    apart.merge(counted(other, ok=False))
    assert apart.buckets == both.buckets
    assert (apart.requests, apart.failures) == (both.requests, both.failures)
    assert apart.seconds == pytest.approx(both.seconds)


def test_memory_is_bounded_whatever_is_counted() -> None:
    rng = random.Random(7)
    durations = counted([10 ** rng.uniform(-8, 4) for _ in range(20_000)])
    assert len(durations.buckets) <= 170


def test_failures_count() -> None:
    durations = counted([0.1] * 3)
    durations.add(0.1, ok=False)
    assert durations.success_rate == 0.75


def test_nothing_counted_is_no_failure() -> None:
    assert Durations().success_rate == 1
    assert Durations().quantile_ms(0.99) == 0
    assert Durations().mean_ms == 0


def test_a_clock_that_stood_still_counts_too() -> None:
    assert counted([0.0, -1e-9]).requests == 2
