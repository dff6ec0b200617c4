"""Visits of a walk, against the solution of its linear system."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from tools.knowledge.graph.pagerank import DAMPING, visits


def drawn(size: int, seed: int) -> csr_array:
    random = np.random.default_rng(seed)
    steps = (
        random.random((size, size)) * (random.random((size, size)) < 0.1) + np.eye(size, k=1) + np.eye(size, k=1 - size)
    )
    return csr_array((steps / steps.sum(axis=1, keepdims=True)).astype(np.float32))


def exact(steps: csr_array, seeds: np.ndarray) -> np.ndarray:
    """(1 - d) (I - d P^T)^-1 s, the visits after endless rounds (Page, Brin, Motwani and Winograd 1999)."""
    return np.linalg.solve(np.eye(len(seeds)) - DAMPING * steps.toarray().T.astype(float), (1 - DAMPING) * seeds)


@pytest.mark.parametrize("seed", range(5))
def test_many_rounds_without_tolerance_solve_the_walk(seed: int) -> None:
    steps = drawn(60, seed)
    seeds = np.zeros(60)
    seeds[[3, 7]] = 0.75, 0.25
    found = visits(steps, np.array([3, 7]), np.array([0.75, 0.25]), rounds=80, tolerance=0)
    assert np.allclose(found, exact(steps, seeds), atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_few_rounds_keep_what_they_push_and_the_order_of_the_first(seed: int) -> None:
    steps = drawn(60, seed)
    found = visits(steps, np.array([3]), np.array([1.0]))
    truth = exact(steps, np.eye(60)[3])
    assert found.sum() <= 1 + 1e-6
    assert np.argsort(-found)[:3].tolist() == np.argsort(-truth)[:3].tolist()
    assert np.abs(found - truth).sum() < 0.1


def test_what_cannot_be_reached_is_never_visited() -> None:
    apart = csr_array(np.kron(np.eye(2), np.array([[0, 1], [1, 0]])).astype(np.float32))
    found = visits(apart, np.array([0]), np.array([1.0]))
    assert found[0] > found[1] > 0
    assert found[2:].tolist() == [0, 0]


def test_two_seeds_at_one_node_count_together() -> None:
    steps = drawn(20, 1)
    twice = visits(steps, np.array([4, 4]), np.array([0.5, 0.5]), tolerance=0)
    assert np.allclose(twice, visits(steps, np.array([4]), np.array([1.0]), tolerance=0))
