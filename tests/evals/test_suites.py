"""The suites on sets small enough to know the right figures by heart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from evals.__main__ import SUITES, cli
from evals.suites.dialogue import SCENARIOS, ExpectedTurn, Scenario, _faults, _in_order
from evals.suites.retrieval import _recalls

PASSAGES = [
    ("1", "Lowick Harbour", "Lowick harbour was built in 1874 by the engineer Ada Merrow."),
    ("2", "Lowick Lighthouse", "The lighthouse stands on Gull Rock and was first lit in 1881."),
    ("3", "Tarn Bay", "The herring fleet moved to Tarn Bay in 1931, *away* from [Lowick]."),
    ("4", "龙井茶", "龙井茶产于浙江杭州西湖一带，属于绿茶。"),
    ("5", "普洱茶", "普洱茶主要产于云南省的西双版纳和临沧。"),
]
MULTIHOP = [
    {"question": "Who built Lowick harbour?", "supporting_titles": ["Lowick Harbour"]},
    {
        "question": "Was the lighthouse on Gull Rock lit before the herring fleet moved to Tarn Bay?",
        "supporting_titles": ["Lowick Lighthouse", "Tarn Bay"],
    },
]
SPANS = [
    {"question": "龙井茶产于哪里？", "passage_id": "4", "answers": ["浙江杭州西湖"]},
    {"question": "普洱茶主要产于哪里？", "passage_id": "5", "answers": ["云南省"]},
]


def write(folder: Path, name: str, lines: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    corpus = [{"id": id_, "title": title, "text": text} for id_, title, text in PASSAGES]
    for name, questions in (("multihop_2wiki", MULTIHOP), ("cmrc2018_zh", SPANS)):
        write(tmp_path / name, "corpus", corpus)
        write(tmp_path / name, "open", questions)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, arguments)
    return result.exit_code, result.output


def measured(data: Path, suite: str, *more: str) -> dict[str, Any]:
    out = data / "out" / "report.json"
    status, text = run("run", suite, "--data", str(data), "--json", str(out), *more)
    assert status == 0, text
    found: dict[str, Any] = orjson.loads(out.read_bytes())
    assert found["suite"] == suite
    return found["metrics"]


def test_the_suites_are_listed() -> None:
    status, text = run("list")
    assert status == 0
    for name in ("multihop_2wiki", "cmrc2018_zh", "citations", "engines", "dialogues"):
        assert name in SUITES
        assert name in text


def test_an_unknown_suite_and_a_missing_set_end_with_a_message(tmp_path: Path) -> None:
    status, text = run("run", "nothing")
    assert (status, "nothing" in text) == (2, True)
    assert run("run", "cmrc2018_zh", "--data", str(tmp_path))[0] not in {0, None}


def test_five_passages_are_found_again(data: Path) -> None:
    metrics = measured(data, "multihop_2wiki")
    assert metrics["recall@5"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 2}
    assert metrics["recall@1"]["value"] == 0.75
    assert metrics["all_gold@5"]["value"] == 1.0


def test_the_passage_of_a_span_is_found_in_chinese(data: Path) -> None:
    assert measured(data, "cmrc2018_zh")["recall@1"]["value"] == 1.0


def test_citations_of_a_small_set_hold(data: Path) -> None:
    metrics = measured(data, "citations", "--engine", "workflow")
    assert metrics["quotes_verbatim"]["value"] == 1.0
    assert metrics["quotes_verbatim"]["n"] > 0
    assert metrics["answer_found"]["n"] == 2


def test_recall_counts_the_share_of_gold_among_the_first_k() -> None:
    questions = [("a", ["1", "2"]), ("b", ["3"]), ("without gold", [])]
    metrics = _recalls(questions, [["1", "x", "2"], ["x", "y", "z", "w", "v", "3"], ["x"]])
    assert {name: metric.value for name, metric in metrics.items()} == {
        "recall@1": 0.25,
        "recall@2": 0.25,
        "recall@5": 0.5,
        "recall@10": 1.0,
        "all_gold@5": 0.5,
    }
    assert metrics["recall@5"].n == 2


def test_two_reports_are_compared(data: Path, tmp_path: Path) -> None:
    measured(data, "cmrc2018_zh")
    report = str(data / "out" / "report.json")
    status, text = run("compare", report, report)
    assert status == 0
    assert "recall@5" in text


EVENTS = [
    {"type": "start"},
    {"type": "intent", "label": "small_talk"},
    {"type": "delta"},
    {"type": "done", "finish_reason": "stop", "citations": [{"document_id": "d1"}]},
]


@pytest.mark.parametrize(
    ("expected", "fault"),
    [
        ({}, None),
        ({"events": ["start", "delta", "done"]}, None),
        ({"events": ["delta", "start"]}, "events were"),
        ({"events": ["start", "refs"]}, "events were"),
        ({"intent": "small_talk"}, None),
        ({"intent": "task"}, "intent was"),
        ({"finish_reason": "stop"}, None),
        ({"finish_reason": "refused"}, "ended with"),
        ({"contains": ["1874", "1881"]}, None),
        ({"contains": ["1931"]}, "answered"),
        ({"cites": "harbour.md"}, None),
        ({"cites": "tea.md"}, "cited"),
        ({"within_ms": 100}, None),
        ({"within_ms": 10}, "took 50 ms"),
    ],
)
def test_a_dialogue_s_expectations_are_held_against_what_happened(expected: dict[str, Any], fault: str | None) -> None:
    turn = ExpectedTurn(say="?", **expected)
    found = _faults(turn, EVENTS, "Built in 1874.", {"d1": "harbour.md"}, 50.0)
    assert [text.startswith(fault or "") for text in found] == ([True] if fault else [])


def test_events_may_have_others_between_them() -> None:
    assert _in_order(["a", "c"], ["a", "b", "c"])
    assert not _in_order(["a", "a"], ["a", "b"])


def test_every_scenario_says_and_expects_something_we_know() -> None:
    import yaml

    paths = sorted(SCENARIOS.glob("*.yaml"))
    assert len(paths) >= 2
    for path in paths:
        scenario = Scenario.model_validate(yaml.safe_load(path.read_text("utf-8")))
        assert all(turn.cites in (None, *scenario.documents) for turn in scenario.turns)


@pytest.mark.parametrize("engine", ["legacy", "langgraph"])
def test_the_dialogues_pass(data: Path, engine: str) -> None:
    out = data / "dialogues.json"
    status, text = run("run", "dialogues", "--engine", engine, "--json", str(out))
    assert status == 0, text
    found = orjson.loads(out.read_bytes())
    passed = found["metrics"]["turns_passed"]
    assert (passed["value"], passed["n"]) == (1.0, 16), found["notes"]
    assert found["engine"] == engine
