from __future__ import annotations

import math
import random
from pathlib import Path

import orjson
import pytest

from evals.report import Metric, Report, compare, mean, proportion, quantile, read


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_s_interval_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, table I: 81/263 by the score method gives 0.2553 to 0.3662."""
    found = proportion(hits, n)
    assert found.value == hits / n
    assert (found.low, found.high, found.n) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4), n)


def test_wilson_s_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    dice = random.Random(5)
    covered = 0
    for _ in range(2_000):
        found = proportion(sum(dice.random() < 0.9 for _ in range(50)), 50)
        covered += found.low <= 0.9 <= found.high
    assert 0.93 <= covered / 2_000 <= 0.98


def test_nothing_measured_is_no_certainty() -> None:
    assert proportion(0, 0) == Metric(0.0, 0.0, 1.0, 0)
    assert mean([]).n == quantile([], 0.5).n == 0


def test_a_mean_has_an_interval_of_the_right_width_and_the_same_each_time() -> None:
    dice = random.Random(1)
    values = [dice.gauss(10, 2) for _ in range(400)]
    found = mean(values)
    assert found == mean(values)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 / math.sqrt(400), rel=0.15)
    assert mean([3.0, 3.0]) == Metric(3.0, 3.0, 3.0, 2)


def test_a_quantile_lies_where_it_should() -> None:
    found = quantile([float(n) for n in range(1, 101)], 0.95)
    assert found.value == pytest.approx(95, abs=1)
    assert found.low <= found.value <= found.high
    assert quantile([7.0], 0.99) == Metric(7.0, 7.0, 7.0, 1)


def report(**metrics: Metric) -> Report:
    return Report("tiny", "/data/tiny", "langgraph", metrics=metrics, notes=["a note"])


def test_a_report_survives_its_json(tmp_path: Path) -> None:
    wanted = report(**{"recall@5": proportion(3, 4)})
    path = tmp_path / "report.json"
    path.write_bytes(orjson.dumps(wanted.as_json()))
    fields = orjson.loads(path.read_bytes())
    assert fields.keys() >= {"suite", "data", "commit", "started_at", "engine", "metrics"}
    assert fields["metrics"]["recall@5"].keys() == {"value", "low", "high", "n"}
    assert read(path) == wanted


def test_a_report_is_a_table_for_people() -> None:
    text = report(accuracy=Metric(0.5, 0.25, 0.75, 8)).as_markdown()
    assert "| accuracy | 0.5000 | 0.2500 to 0.7500 | 8 |" in text
    assert "a note" in text


def test_a_comparison_marks_what_clearly_changed() -> None:
    before = report(up=proportion(10, 100), same=proportion(50, 100), gone=proportion(1, 2))
    after = report(up=proportion(90, 100), same=proportion(52, 100), new=proportion(1, 2))
    lines = {line.split("|")[1].strip(): line for line in compare(before, after).splitlines() if line.startswith("|")}
    assert "+0.8000" in lines["up"]
    assert "clear" in lines["up"]
    assert "+0.0200" in lines["same"]
    assert "clear" not in lines["same"]
    assert "only in one" in lines["gone"]
    assert "only in one" in lines["new"]
