"""What speaks for a passage, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tools.knowledge.graph.features import NAMES, Candidates, features
from tools.knowledge.graph.rows import rows_of

INFINITE = np.inf


def candidates(**changed: Any) -> Candidates:
    """Three: one about the linked entity 0, one that it mentions (about 1), one apart (about nothing)."""
    given: dict[str, Any] = {
        "relevance": np.array([0.8, 0.1, 0.4], dtype=np.float32),
        "cosines": np.array([0.6, 0.2, -1.0], dtype=np.float32),
        "visits": np.array([0.5, 0.2, 0.0], dtype=np.float32),
        "ranks": np.array([[1, 3, 2], [1, 2, INFINITE], [1, 2, INFINITE]], dtype=np.float32),
        "subjects": np.array([0, 1, -1]),
        "mentions": rows_of(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)[0],
        "linked": np.array([0]),
        "weights": np.array([1.0], dtype=np.float32),
        "sure": np.array([1.0], dtype=np.float32),
    }
    return Candidates(**{**given, **changed})


def column(table: np.ndarray, name: str) -> list[float]:
    return np.round(table[:, NAMES.index(name)], 3).tolist()


def test_a_passage_is_told_by_what_it_is_about_what_it_mentions_and_what_leads_to_it() -> None:
    table = features(candidates())
    assert column(table, "about_linked") == [1, 0, 0]
    assert column(table, "linked_mentioned") == [0, 0, 1]
    assert column(table, "led_to") == [0, 1, 0]
    assert column(table, "led_to_words") == [0.5, 1, 0]
    assert column(table, "leads_to_words") == [0.125, 0, 1]


def test_all_numbers_are_within_bounds_and_best_is_one() -> None:
    table = features(candidates())
    assert table.shape == (3, len(NAMES))
    assert np.isfinite(table).all()
    assert table.min() >= 0
    assert table.max() <= 1 + 1e-6
    for name in ("walk", "walk_rank", "words", "words_rank", "meaning", "meaning_rank"):
        assert max(column(table, name)) == 1


def test_without_vectors_meaning_says_nothing() -> None:
    ranks = np.array([[1, 3, 2], [INFINITE] * 3, [1, 2, INFINITE]], dtype=np.float32)
    table = features(candidates(cosines=None, ranks=ranks))
    for name in ("meaning", "meaning_level", "meaning_rank", "led_to_meaning"):
        assert column(table, name) == [0, 0, 0]


def test_two_linked_entities_with_a_passage_each_are_a_comparison() -> None:
    two = candidates(
        linked=np.array([0, 1]), weights=np.array([0.5, 0.5], np.float32), sure=np.array([1, 0.5], np.float32)
    )
    assert column(features(two), "several_about") == [1, 0.5, 0]
    assert column(features(candidates()), "several_about") == [0, 0, 0]


def test_no_candidates_have_no_features() -> None:
    nothing = np.zeros(0, dtype=np.float32)
    empty = candidates(
        relevance=nothing, cosines=nothing, visits=nothing, ranks=np.zeros((3, 0), np.float32),
        subjects=np.zeros(0, np.int64), mentions=rows_of(np.zeros(0, np.int64), np.zeros(0, np.int64), 0)[0],
    )  # fmt: skip
    assert features(empty).shape == (0, len(NAMES))
