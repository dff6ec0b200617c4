"""The whole way, on a small model that has learnt its set: shrink, learn again, measure, report, done or refused."""

from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from transformers import AutoModelForSequenceClassification

from tools.compression import measuring, training
from tools.compression.compress import compress
from tools.compression.folder import load_classifier
from tools.compression.measuring import Memory, latencies, memory_of, size_of
from tools.compression.plan import Method, Plan, Recipe
from tools.compression.resident import STATUS
from tools.compression.runnable import open_runnable
from tools.errors import InvalidInput, NotAvailable

RECIPE = Recipe(epochs=6, batch=16, rate=2e-3, bf16=False)


@pytest.fixture(autouse=True)
def _short_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few messages, and a system that does not tell what is resident: its process imports torch for seconds."""
    monkeypatch.setattr(measuring, "MESSAGES", 32)
    monkeypatch.setattr(whole_way(), "memory_of", untold)


def whole_way() -> ModuleType:
    return importlib.import_module("tools.compression.compress")


def untold(*_: object) -> Memory:
    raise NotAvailable("not on this system")


def plan_of(model: Path, data: Path, out: Path, method: Method, **entries: Any) -> Plan:
    return Plan(
        **({"model": model, "data": data, "out": out, "method": method, "recipe": RECIPE, "max_loss": 0.1} | entries)
    )


@pytest.mark.parametrize("method", ["int8-dynamic", "int8-static"])
def test_int8_keeps_quality_and_is_marked_done(method: Method, model: Path, data: Path, tmp_path: Path) -> None:
    report = compress(plan_of(model, data, tmp_path / "out", method, max_loss=0.02))
    assert report.before.quality.headline > 0.95
    assert report.done
    # The graph itself, without its weights, is most of so small a model.
    assert (tmp_path / "out" / "model.int8.weights").stat().st_size < 0.4 * report.before.size.total
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert {"model.int8.onnx", "model.int8.weights", "tokenizer.json", "config.json"} <= set(card["files"])
    for name, file in card["files"].items():
        assert file["sha256"] == hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest()
    assert set(card["thresholds"]) == set(report_labels(tmp_path / "out"))


def report_labels(out: Path) -> list[str]:
    return [row["label"] for row in json.loads((out / "report.json").read_text())["after"]["quality"]["per_label"]]


def test_a_distilled_student_has_fewer_layers_and_plain_transformers_reads_it(
    model: Path, data: Path, tmp_path: Path
) -> None:
    report = compress(plan_of(model, data, tmp_path / "out", "distil", layers=1))
    assert report.done, report.verdict
    assert report.after.size.beyond_tables < 0.6 * report.before.size.beyond_tables
    student = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    assert student.config.num_hidden_layers == 1
    assert not (tmp_path / "out" / "work").exists()


def test_pruning_recovers_and_its_result_can_be_compressed_further(model: Path, data: Path, tmp_path: Path) -> None:
    report = compress(plan_of(model, data, tmp_path / "pruned", "prune", prune_heads=0.5, calibration=40))
    assert report.done, report.verdict
    smaller = load_classifier(tmp_path / "pruned").network
    assert smaller.config.kept_attention_heads == 2
    assert smaller.config.intermediate_size == 32
    further = compress(plan_of(tmp_path / "pruned", data, tmp_path / "int8", "int8-dynamic", against=model))
    assert further.done
    assert further.speed_against == "`bert`"


def test_one_label_each_is_judged_by_accuracy(single_model: Path, single_data: Path, tmp_path: Path) -> None:
    report = compress(plan_of(single_model, single_data, tmp_path / "out", "int8-dynamic"))
    assert report.done
    assert report.after.quality.headline_name == "accuracy"
    assert report.after.quality.headline == report.after.quality.accuracy > 0.95
    assert json.loads((tmp_path / "out" / "card.json").read_text())["thresholds"] is None


def test_a_result_past_the_bound_is_refused_and_an_old_mark_of_done_is_taken_away(
    model: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert compress(plan_of(model, data, out, "distil", layers=1)).done
    untrained = Recipe(epochs=0, bf16=False)
    report = compress(plan_of(model, data, out, "distil", layers=1, recipe=untrained, max_loss=0.0))
    assert not report.done
    assert report.lost > 0
    assert report.verdict.startswith("Refused: macro-F1 (tuned) went from")
    assert not (out / "card.json").exists()
    assert json.loads((out / "report.json").read_text())["done"] is False
    assert "Refused" in (out / "report.md").read_text()


def test_a_killed_training_is_taken_up_by_the_same_command(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 10)
    plan = plan_of(model, data, tmp_path / "out", "distil", layers=1)

    class Killed(Exception):
        pass

    def kill(stage: str, done: int, _: int) -> None:
        if stage.startswith("training") and done == 25:
            raise Killed

    with pytest.raises(Killed):
        compress(plan, kill)
    steps = list[int]()
    compress(plan, lambda stage, done, _: steps.append(done) if stage.startswith("training") else None)
    assert steps == list(range(21, 91))


def test_the_same_plan_gives_the_same_bytes(model: Path, data: Path, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch=16, bf16=False)
    found = list[bytes]()
    for name in ("a", "b"):
        compress(plan_of(model, data, tmp_path / name, "prune", recipe=recipe, calibration=10, max_loss=1.0))
        found.append((tmp_path / name / "model.safetensors").read_bytes())
    assert found[0] == found[1]


def test_bad_input_writes_nothing(model: Path, data: Path, single_data: Path, tmp_path: Path) -> None:
    for entries in (
        {"model": tmp_path},
        {"data": tmp_path},
        {"split": "held"},
        {"against": tmp_path},
        {"text_field": "x"},
    ):
        with pytest.raises(InvalidInput):
            compress(plan_of(**({"model": model, "data": data, "out": tmp_path / "out", "method": "distil"} | entries)))
    assert not (tmp_path / "out").exists()


def test_the_page_holds_every_figure_and_label(model: Path, data: Path, tmp_path: Path) -> None:
    report = compress(plan_of(model, data, tmp_path / "out", "int8-dynamic"))
    page = (tmp_path / "out" / "report.md").read_text()
    for what in ("size, MB", "beyond embedding tables", "batches of 1 ", "batches of 32 ", "macro-F1 @0.5", "micro-F1"):
        assert f"| {what}" in page or what in page
    for label in report.after.quality.per_label:
        assert f"| {label.label} | {label.support} |" in page


@pytest.mark.skipif(not STATUS.exists(), reason="this system does not tell what is resident")
def test_memory_is_that_of_a_process_with_nothing_else(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_way(), "memory_of", memory_of)
    report = compress(plan_of(model, data, tmp_path / "out", "int8-dynamic"))
    assert report.before.memory is not None
    small, large = report.after.memory, report.before.memory
    assert small is not None
    assert small.imports <= small.loaded <= small.peak < 0.6 * large.loaded
    assert any(row[0] == "peak resident, MiB" for row in report.rows())


def test_a_process_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable):
        memory_of(tmp_path, [[1]], 0)


def test_speed_is_told_for_both_batches_in_paired_rounds(model: Path) -> None:
    runnable = open_runnable(model, 0)
    found = latencies(runnable, runnable, [[1, 5, 2]] * 32, rounds=2)
    assert [latency.batch for latency in found] == [1, 32]
    for latency in found:
        assert latency.lowest <= latency.ratio <= latency.highest
        assert latency.before_ms > 0
        assert latency.after_ms > 0


def test_size_counts_four_bytes_a_weight_and_tells_tables_apart(model: Path) -> None:
    size = size_of(model)
    assert size.total - size.beyond_tables == 4 * 32 * (200 + 64 + 2)
    assert size.total == pytest.approx((model / "model.safetensors").stat().st_size, rel=0.1)
