"""Windows written, rotated, added up and judged."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from app.observability import snapshots as module
from app.observability.histogram import Durations
from app.observability.metrics import Metrics
from app.observability.report import read_report
from app.observability.snapshot_line import METRICS_FILE, VARIANTS_FILE, SnapshotLine
from app.observability.snapshots import Snapshots

FILES = (METRICS_FILE, VARIANTS_FILE)
FIGURES = {"requests", "success_rate", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "status"}


async def accuracy() -> float:
    return 0.9


def writer(metrics: Metrics, folder: Path, *, on: bool = True, share: float = 0.9) -> Snapshots:
    async def probe() -> float:
        return share

    return Snapshots(metrics, folder, lambda: on, probe, every_seconds=3600)


def lines(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(raw) for raw in path.read_bytes().splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_line_holds_the_components_of_a_window(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.step("intent.classify", "langgraph", "treatment", 0.002, ok=True)
    metrics.step("answer.generate", "legacy", "control", 0.5, ok=False)
    await writer(metrics, tmp_path).write()
    (line,) = lines(tmp_path / METRICS_FILE)
    assert set(line) == {"timestamp", "components", "probe"}
    assert set(line["components"]) == {"intent.classify", "answer.generate"}
    intent, answer = line["components"]["intent.classify"], line["components"]["answer.generate"]
    assert set(intent) >= FIGURES
    assert (intent["requests"], intent["success_rate"], intent["status"]) == (1, 1, "ok")
    assert intent["mean_ms"] == pytest.approx(2)
    assert intent["p99_ms"] == pytest.approx(2, rel=0.08)
    assert (answer["success_rate"], answer["status"]) == (0, "warning")
    assert line["probe"] == {"intent_accuracy": 0.9}
    variants = lines(tmp_path / VARIANTS_FILE)
    assert {line["variant"]: set(line["components"]) for line in variants} == {
        "treatment": {"intent.classify"},
        "control": {"answer.generate"},
    }


async def test_nothing_is_written_while_monitoring_is_off_or_nothing_was_counted(tmp_path: Path) -> None:
    metrics = Metrics()
    await writer(metrics, tmp_path).write()
    metrics.step("input.screen", "legacy", "legacy", 0.1, ok=True)
    await writer(metrics, tmp_path, on=False).write()
    assert names(tmp_path) == []
    await writer(metrics, tmp_path).write()
    assert names(tmp_path) == []


async def test_snapshots_come_by_themselves_and_once_more_at_the_end(tmp_path: Path) -> None:
    metrics = Metrics()
    snapshots = Snapshots(metrics, tmp_path, lambda: True, accuracy, every_seconds=0.01)
    snapshots.start()
    metrics.turn("legacy", "legacy", 0.1, "stop", None)
    async with asyncio.timeout(10):
        while not (tmp_path / VARIANTS_FILE).exists():
            await asyncio.sleep(0.01)
    metrics.turn("legacy", "legacy", 0.1, "stop", None)
    await snapshots.close()
    assert read_report(tmp_path, hours=1).components["turn"].requests == 2


async def test_a_probe_or_disk_that_fails_costs_a_window_and_nothing_else(tmp_path: Path) -> None:
    async def broken() -> float:
        raise RuntimeError("no probe")

    metrics = Metrics()
    metrics.turn("legacy", "legacy", 0.1, "stop", None)
    await Snapshots(metrics, tmp_path, lambda: True, broken, every_seconds=3600).write()
    (tmp_path / "logs").write_text("a file where the folder should be")
    metrics.turn("legacy", "legacy", 0.1, "stop", None)
    await writer(metrics, tmp_path / "logs").write()
    metrics.turn("legacy", "legacy", 0.1, "stop", None)
    await writer(metrics, tmp_path).write()
    assert read_report(tmp_path, hours=1).components["turn"].requests == 1


async def test_windows_add_up_over_rotated_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 500)
    rng = random.Random(3)
    metrics, truth = Metrics(), Durations()
    snapshots = writer(metrics, tmp_path)
    for _ in range(module.ROTATED):
        for _ in range(100):
            seconds = rng.lognormvariate(-2, 1)
            truth.add(seconds, ok=True)
            metrics.turn("workflow", "workflow", seconds, "stop", 0.01)
        await snapshots.write()
    assert len(names(tmp_path)) > 4
    found = read_report(tmp_path, hours=1)
    assert found.components["turn"].buckets == truth.buckets
    assert found.components["turn"].quantile_ms(0.99) == truth.quantile_ms(0.99)
    assert found.variants["workflow"]["turn"].requests == truth.requests


async def test_rotated_files_are_kept_to_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1)
    metrics = Metrics()
    snapshots = writer(metrics, tmp_path)
    for _ in range(module.ROTATED + 5):
        metrics.turn("workflow", "workflow", 0.2, "stop", 0.01)
        await snapshots.write()
    kept = 1 + module.ROTATED
    assert names(tmp_path) == sorted([*(f"{name}.{number}" for name in FILES for number in range(1, kept)), *FILES])
    assert read_report(tmp_path, hours=1).components["turn"].requests == kept


async def test_lines_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    metrics = Metrics()
    snapshots = writer(metrics, tmp_path)
    strange = [b"\xff\xfe", b"[]", b'"x"', b'{"timestamp": 3}', b'{"components": {"turn": {"buckets": {"x": 1}}}}']
    for cut in [b'{"timestamp": "2026', *strange]:
        metrics.turn("workflow", "workflow", 0.2, "stop", 0.01)
        await snapshots.write()
        for name in (METRICS_FILE, VARIANTS_FILE):
            with (tmp_path / name).open("ab") as file:
                file.write(cut)
    report = read_report(tmp_path, hours=1)
    assert report.components["turn"].requests == 1 + len(strange)
    assert report.variants["workflow"]["turn"].requests == 1 + len(strange)


def test_only_the_hours_that_are_asked_for_count(tmp_path: Path) -> None:
    one = Durations()
    one.add(0.1, ok=True)
    now = datetime.now(UTC)
    ages = [timedelta(minutes=5), timedelta(hours=5), timedelta(hours=50)]
    (tmp_path / METRICS_FILE).write_bytes(
        b"".join(SnapshotLine.of(now - age, {"turn": one}, intent_accuracy=0.5).as_bytes() for age in ages)
    )
    requests = {
        hours: read_report(tmp_path, hours).components.get("turn", Durations()).requests for hours in (0, 1, 24, 99)
    }
    assert requests == {0: 0, 1: 1, 24: 2, 99: 3}
    assert read_report(tmp_path, 0).intent_accuracy is None


@pytest.mark.parametrize(
    ("component", "seconds", "ok", "warns"),
    [
        ("intent.classify", 0.3, True, True),
        ("intent.classify", 0.1, True, False),
        ("answer.generate", 3.5, True, True),
        ("answer.generate", 2.0, True, False),
        ("turn", 9.0, True, False),
        ("turn", 0.1, False, True),
    ],
)
async def test_what_an_operator_is_warned_of(
    tmp_path: Path, component: str, seconds: float, ok: bool, warns: bool
) -> None:
    metrics = Metrics()
    for _ in range(93):
        metrics.step(component, "legacy", "legacy", 0.01, ok=True)
    for _ in range(7):
        metrics.step(component, "legacy", "legacy", seconds, ok)
    await writer(metrics, tmp_path).write()
    (line,) = lines(tmp_path / METRICS_FILE)
    assert (line["components"][component]["status"] == "warning") is warns
    found = read_report(tmp_path, hours=1).warnings()
    assert len(found) == (2 if warns else 0)
    assert all(component in warning for warning in found)


@pytest.mark.parametrize(("share", "warns"), [(0.79, True), (0.8, False)])
async def test_an_operator_is_warned_of_intents_read_wrong(tmp_path: Path, share: float, warns: bool) -> None:
    metrics = Metrics()
    metrics.turn("legacy", "legacy", 0.1, "stop", None)
    await writer(metrics, tmp_path, share=share).write()
    report = read_report(tmp_path, hours=1)
    assert report.intent_accuracy == share
    assert bool(report.warnings()) is warns
