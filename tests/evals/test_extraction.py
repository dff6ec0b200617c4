"""Figures of the extraction suites on texts small enough to know them by heart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from evals.suites import extraction
from evals.suites.extraction import Reading, _ece, _f1, _figures, _joined


def test_f1_counts_exact_spans_with_their_types() -> None:
    reading = Reading(
        {(0, 4, "person"), (8, 12, "location")},
        [(0, 4, "person", 0.9), (8, 11, "location", 0.9), (20, 24, "person", 0.1)],
    )
    figures = _figures([reading], ["person", "location"])
    assert figures["micro_f1"].value == pytest.approx(0.5)
    assert figures["f1.person"].value == pytest.approx(1.0)
    assert figures["f1.location"].value == 0.0
    assert _f1([reading], lambda kind: True).n == 2


def test_ece_is_the_distance_of_confidence_from_accuracy() -> None:
    gold = {(place, place + 1, "person") for place in range(8)}
    found = [(place, place + 1, "person", 0.8) for place in range(10)]
    assert _ece([Reading(gold, found)]).value == pytest.approx(0.0)
    assert _ece([Reading(set(), found)]).value == pytest.approx(0.8)


def test_tokens_stand_where_they_are_said_to_stand() -> None:
    text, starts, ends = _joined(["Anna", ",", "Rome"])
    assert [text[start:end] for start, end in zip(starts, ends, strict=True)] == ["Anna", ",", "Rome"]


def write(folder: Path, name: str, lines: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


async def test_a_mapped_set_counts_only_the_types_both_have(tmp_path: Path) -> None:
    folder = tmp_path / "conll04"
    tokens = ["Angela", "Merkel", "met", "Barack", "Obama", "in", "Berlin", "."]
    entities = [
        {"type": "Peop", "start": 0, "end": 2},
        {"type": "Peop", "start": 3, "end": 5},
        {"type": "Loc", "start": 6, "end": 7},
        {"type": "Other", "start": 2, "end": 3},
    ]
    write(folder, "open", [{"id": "1", "tokens": tokens, "entities": entities}])
    report = await extraction.conll04(folder, "langgraph")
    assert report.metrics["recall"].n == 3
    assert report.metrics["micro_f1"].value > 0.5


async def test_the_labelled_sentences_are_all_read() -> None:
    report = await extraction.labelled_entities(Path(), "langgraph")
    assert {name.split(".")[0] for name in report.metrics} == {"en", "zh"}
    assert all(report.metrics[f"{language}.recall"].n > 500 for language in ("en", "zh"))


@pytest.mark.slow
async def test_a_tagger_of_ones_own_learns_from_the_train_file(tmp_path: Path) -> None:
    rows = [
        {
            "id": str(n),
            "text": f"{name}住在{place}。",
            "entities": [
                {"type": "name", "start": 0, "end": len(name)},
                {"type": "address", "start": len(name) + 2, "end": len(name) + 2 + len(place)},
            ],
        }
        for n, (name, place) in enumerate(
            (name, place) for name in ("张三", "李四", "王小明", "赵六") for place in ("北京", "上海", "苏州")
        )
    ]
    folder = tmp_path / "cluener2020_zh"
    write(folder, "train", rows * 30)
    write(folder, "open", rows)
    report = await extraction.cluener(folder, "langgraph")
    assert report.metrics["micro_f1"].value > 0.9
