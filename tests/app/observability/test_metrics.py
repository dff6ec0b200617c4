"""What Prometheus reads, and what counting costs."""

from __future__ import annotations

import time

from prometheus_client.parser import text_string_to_metric_families

from app.observability.metrics import Metrics
from app.version import VERSION


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_steps_and_turns_are_counted_by_engine_and_variant() -> None:
    metrics = Metrics()
    metrics.step("answer.generate", "legacy", "control", 0.02, ok=True)
    metrics.step("answer.generate", "legacy", "control", 0.02, ok=False)
    metrics.step("answer.generate", "langgraph", "treatment", 0.3, ok=True)
    metrics.turn("legacy", "control", 0.5, "stop", 0.1)
    metrics.turn("legacy", "control", 0.5, "upstream_timeout", None)
    found = samples(metrics)
    legacy = (("engine", "legacy"), ("variant", "control"))
    step = (("component", "answer.generate"), *legacy)
    assert found["zhiyin_step_seconds_count", step] == 2
    assert found["zhiyin_step_failures_total", step] == 1
    assert found["zhiyin_turn_seconds_sum", legacy] == 1
    assert found["zhiyin_first_token_seconds_count", legacy] == 1
    outcomes = {
        name: found["zhiyin_turns_total", (legacy[0], ("outcome", name), legacy[1])]
        for name in ("stop", "upstream_timeout")
    }
    assert outcomes == {"stop": 1, "upstream_timeout": 1}


def test_a_refusal_or_a_cancel_is_nobodys_failure() -> None:
    metrics = Metrics()
    for outcome in ("stop", "length", "refused", "cancelled", "deadline_exceeded"):
        metrics.turn("legacy", "legacy", 0.5, outcome, None)
    assert metrics.take_window()["turn", "legacy"].failures == 1


def test_the_process_the_build_and_running_turns_are_reported() -> None:
    metrics = Metrics()
    metrics.watch_in_flight(lambda: 3)
    found = samples(metrics)
    assert found["zhiyin_turns_in_flight", ()] == 3
    (build,) = [dict(labels) for name, labels in found if name == "zhiyin_build_info"]
    assert build["version"] == VERSION
    assert found["process_resident_memory_bytes", ()] > 2**20
    assert found["process_cpu_seconds_total", ()] > 0


def test_two_apps_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.turn("legacy", "legacy", 0.5, "stop", None)
    assert not [name for name, _ in samples(other) if name == "zhiyin_turns_total"]


def test_a_window_is_taken_once() -> None:
    metrics = Metrics()
    metrics.step("turn", "legacy", "legacy", 0.5, ok=True)
    assert metrics.take_window()["turn", "legacy"].requests == 1
    assert metrics.take_window() == {}


def test_a_step_is_counted_in_microseconds() -> None:
    metrics, calls = Metrics(), 5_000
    costs = []
    for _ in range(5):
        started = time.thread_time()
        for _ in range(calls):
            metrics.step("answer.generate", "langgraph", "treatment", 0.0123, ok=True)
        costs.append((time.thread_time() - started) / calls)
    assert min(costs) < 20e-6  # 1.5 µs on an idle machine; the slack is for coverage
