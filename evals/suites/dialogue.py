"""Dialogues as data: what is said, which events must come, how long it may take.

A YAML file holds `documents` (name → text) and `turns`; each turn says `say`, and may expect `events`
(types that must come, in this order), `intent`, `finish_reason`, `contains` (any of these in the answer),
`cites` (a document's name) and `within_ms`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from app.turns import Ask
from app.wiring import App, open_app
from evals.corpora import TENANT, throwaway
from evals.report import Report, proportion, quantile

SCENARIOS = Path(__file__).parent.parent / "scenarios"


class ExpectedTurn(BaseModel):
    """One message and what must come of it."""

    model_config = ConfigDict(extra="forbid")

    say: str
    events: list[str] = []
    intent: str | None = None
    finish_reason: str | None = None
    contains: list[str] = []
    cites: str | None = None
    within_ms: float | None = None


class Scenario(BaseModel):
    """A conversation over some documents."""

    model_config = ConfigDict(extra="forbid")

    name: str
    documents: dict[str, str] = {}
    turns: list[ExpectedTurn]


async def dialogues(folder: Path, engine: str) -> Report:
    """Play every scenario; a turn passes when all that it expects holds."""
    report = Report("dialogues", str(SCENARIOS), engine)
    passed: list[bool] = []
    milliseconds: list[float] = []
    for path in sorted(SCENARIOS.glob("*.yaml")):
        scenario = Scenario.model_validate(yaml.safe_load(path.read_text("utf-8")))
        with tempfile.TemporaryDirectory(prefix="zhiyin-eval-") as scratch:
            async with open_app(throwaway(Path(scratch), engine)) as app:
                for turn, faults, ms in await _play(app, scenario):
                    passed.append(not faults)
                    milliseconds.append(ms)
                    report.notes.extend(f"{scenario.name}: «{turn.say}»: {fault}" for fault in faults)
    report.metrics["turns_passed"] = proportion(sum(passed), len(passed))
    report.metrics["turn_ms_p95"] = quantile(milliseconds, 0.95)
    return report


async def _play(app: App, scenario: Scenario) -> list[tuple[ExpectedTurn, list[str], float]]:
    files = [(name, text.encode()) for name, text in scenario.documents.items()]
    names = {d.id: d.name for d in await app.ingestor.submit(TENANT, "default", files)} if files else {}
    await app.ingestor.idle()
    conversation: str | None = None
    played = []
    for expected in scenario.turns:
        started = time.perf_counter()
        live = await app.turns.start(Ask(TENANT, "eval", expected.say, conversation_id=conversation))
        await live.finished()
        ms = (time.perf_counter() - started) * 1000
        conversation = live.turn.conversation_id
        played.append((expected, _faults(expected, live.events(), live.answer, names, ms), ms))
    return played


def _faults(
    expected: ExpectedTurn, events: Sequence[Mapping[str, Any]], answer: str, names: Mapping[str, str], ms: float
) -> list[str]:
    kinds = [event["type"] for event in events]
    last = events[-1]
    cited = {names.get(citation["document_id"]) for citation in last.get("citations", ())}
    intents = [event["label"] for event in events if event["type"] == "intent"]
    checks = [
        (_in_order(expected.events, kinds), f"events were {kinds}"),
        (expected.intent in (None, *intents), f"intent was {intents}"),
        (expected.finish_reason in (None, last.get("finish_reason")), f"ended with {last}"),
        (not expected.contains or any(part in answer for part in expected.contains), f"answered «{answer}»"),
        (expected.cites in (None, *cited), f"cited {sorted(map(str, cited))}"),
        (expected.within_ms is None or ms <= expected.within_ms, f"took {ms:.0f} ms"),
    ]
    return [fault for holds, fault in checks if not holds]


def _in_order(wanted: Sequence[str], kinds: Sequence[str]) -> bool:
    rest = iter(kinds)
    return all(kind in rest for kind in wanted)
