from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tools.compression.plan import Plan, Recipe, method_of
from tools.errors import InvalidInput


def plan(method: str = "prune", **entries: Any) -> Plan:
    return Plan(**({"model": Path("m"), "method": method_of(method), "data": Path("d"), "out": Path("o")} | entries))


def test_an_unknown_method_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="'shrink'; there are int8-dynamic, int8-static, prune, distil"):
        plan("shrink")


@pytest.mark.parametrize(
    "entries",
    [
        {"max_loss": -0.01},
        {"max_loss": 1.01},
        {"max_loss": math.nan},
        {"prune_ffn": 1.0},
        {"prune_heads": -0.1},
        {"prune_ffn": 0.0},
        {"calibration": 0},
        {"layers": 0},
        {"max_tokens": 1},
        {"train_limit": 0},
        {"out": Path("m")},
    ],
)
def test_numbers_out_of_range_are_refused(entries: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        plan(**entries)


@pytest.mark.parametrize("entries", [{"epochs": -1}, {"batch": 0}, {"rate": 2.0}, {"soft": 1.1}, {"states": -1.0}])
def test_recipes_out_of_range_are_refused(entries: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        Recipe(**entries)


def test_what_a_plan_tells_of_itself_leaves_out_where_things_lie() -> None:
    assert plan().told() == plan(model=Path("x"), out=Path("y"), max_loss=0.5).told()
    assert plan().told() != plan(seed=2).told() != plan(recipe=Recipe(soft=0.1)).told()
