"""One score from many features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from tools.knowledge.graph.features import NAMES
from tools.knowledge.graph.fusion import WEIGHTS, Group, read


@pytest.mark.parametrize("group", ["vectors", "words"])
def test_the_shipped_weights_are_of_these_features_and_none_is_negative(group: Group) -> None:
    stored = orjson.loads(WEIGHTS.read_bytes())
    assert tuple(stored["features"]) == NAMES
    fusion = read(WEIGHTS, group)
    assert len(fusion.weights) == len(NAMES)
    assert fusion.weights.min() >= 0
    assert fusion.slope > 0


def test_scores_are_probabilities_that_grow_with_what_speaks_for_a_passage() -> None:
    fusion = read(WEIGHTS, "vectors")
    scores = fusion.score(np.array([np.zeros(len(NAMES)), np.full(len(NAMES), 0.5), np.ones(len(NAMES))], np.float32))
    assert 0 < scores[0] < scores[1] < scores[2] <= 1
    assert scores[0] < 0.1
    assert scores[2] > 0.5


def test_weights_of_other_features_give_way_to_walk_and_meaning(tmp_path: Path) -> None:
    other = tmp_path / "weights.json"
    other.write_bytes(
        orjson.dumps({"features": ["one"], "groups": {"vectors": {"weights": [1], "slope": 1, "intercept": 0}}})
    )
    for path in (other, tmp_path / "missing.json"):
        fusion = read(path, "vectors")
        told = {name for name, weight in zip(NAMES, fusion.weights, strict=True) if weight}
        assert told == {"walk", "meaning_level"}
