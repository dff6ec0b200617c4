"""How the graph view holds up with 5,000 entities: `python -m tests.e2e.graph_bench`."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tests.e2e.graph_server import GraphServer, running
from tests.e2e.graph_stories import crowd
from tests.e2e.visitor import chromium, visitor

ENTITIES = 5_000
RELATIONS = 15_000
LAYOUT_SECONDS = 240
TIMELINE = "disabled-by-default-devtools.timeline"
PAN = """async () => {
    const canvas = document.querySelector(".graph-canvas");
    canvas.setPointerCapture = () => {}; // made-up pointers cannot be captured
    const { left, top, width, height } = canvas.getBoundingClientRect();
    let [x, y] = [left + width / 2, top + height / 2];
    const move = (type) => canvas.dispatchEvent(new PointerEvent(type,
        { pointerId: 1, pointerType: "mouse", button: 0, clientX: x, clientY: y, bubbles: true }));
    const gaps = [];
    move("pointerdown");
    let last = await new Promise(requestAnimationFrame);
    for (let i = 0; i < 90; i += 1) {
        [x, y] = [x + 9 * Math.cos(i / 10), y + 9 * Math.sin(i / 10)];
        move("pointermove");
        const now = await new Promise(requestAnimationFrame);
        gaps.push(now - last);
        last = now;
    }
    move("pointerup");
    return gaps;
}"""
"""Drags the drawing for 90 frames; gives the milliseconds between them."""


@dataclass(frozen=True)
class Figures:
    """Medians and 95th percentiles of the time between two frames while the drawing is dragged, in milliseconds:
    during the layout and after it. `longest_task_ms` is the processor time of the main thread's longest task.
    """

    arranging_ms: float
    arranging_p95_ms: float
    arranged_ms: float
    arranged_p95_ms: float
    longest_task_ms: float
    layout_seconds: float


def measure(browser: Browser, server: GraphServer) -> Figures:
    """Load the large graph after a smaller one, drag it about while it is arranged, and again when it is."""
    server.story = crowd(ENTITIES, RELATIONS)
    with visitor(browser, server.url) as someone, tempfile.TemporaryDirectory() as folder:
        page, trace = someone.page, Path(folder, "trace.json")
        page.goto(f"{someone.url}/#/graph")
        page.get_by_role("button", name="Show more").click()
        expect(page.locator(".graph-remarks")).to_contain_text("1,000 most mentioned")
        browser.start_tracing(page=page, path=trace, categories=[TIMELINE])
        page.get_by_role("button", name="Show more").click()
        expect(page.locator(".graph-remarks")).to_contain_text("5,000 entities")
        began = time.monotonic()
        arranging: list[float] = page.evaluate(PAN)
        expect(page.locator(".graph-progress")).to_be_hidden(timeout=LAYOUT_SECONDS * 1000)
        seconds = time.monotonic() - began
        arranged: list[float] = page.evaluate(PAN)
        browser.stop_tracing()
        longest = _longest_task_ms(json.loads(trace.read_text())["traceEvents"])
    return Figures(*_spread(arranging), *_spread(arranged), longest, seconds)


def _spread(gaps: list[float]) -> tuple[float, float]:
    return statistics.median(gaps), statistics.quantiles(gaps, n=20)[-1]


def _longest_task_ms(events: list[dict[str, Any]]) -> float:
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [event for event in events if event["name"] == "RunTask" and (event["pid"], event["tid"]) in mains]
    return max(float(task["tdur"]) for task in tasks if "tdur" in task) / 1000


def main() -> None:
    """Print the figures, and how busy the machine was."""
    with running() as server, chromium() as browser:
        figures = {name: round(value, 1) for name, value in asdict(measure(browser, server)).items()}
    print(json.dumps({"entities": ENTITIES, "relations": RELATIONS, "load": os.getloadavg()[0], **figures}))


if __name__ == "__main__":
    main()
