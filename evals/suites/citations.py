"""Whether citations hold and answers are in them: every quote verbatim, the gold answer found."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.turns import Ask
from app.wiring import App
from evals.corpora import TENANT, app_with
from evals.data import questions_of, rows
from evals.report import Report, mean, proportion, quantile

SET = "cmrc2018_zh"
MAX_QUESTIONS = 400
ENGINES = ("legacy", "workflow", "langgraph")


@dataclass(slots=True)
class _Tally:
    """What the questions of one engine came to."""

    quotes: list[bool] = field(default_factory=list)
    answered: list[bool] = field(default_factory=list)
    cited: list[bool] = field(default_factory=list)
    supported: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


async def citations(folder: Path, engine: str) -> Report:
    """Ask questions whose answer is a span, and look at the answer and each of its citations."""
    report = Report("citations", str(folder / SET), engine)
    tally = await _ask_all(folder / SET, engine)
    report.metrics["quotes_verbatim"] = proportion(sum(tally.quotes), len(tally.quotes))
    report.metrics["answer_found"] = proportion(sum(tally.answered), len(tally.answered))
    report.metrics["answers_cited"] = proportion(sum(tally.cited), len(tally.cited))
    report.metrics["sentences_supported"] = mean(tally.supported)
    return report


async def engines(folder: Path, engine: str) -> Report:
    """The same questions through every engine: quality and time side by side."""
    report = Report("engines", str(folder / SET), "all")
    for name in ENGINES:
        tally = await _ask_all(folder / SET, name)
        report.metrics[f"{name}.answer_found"] = proportion(sum(tally.answered), len(tally.answered))
        report.metrics[f"{name}.quotes_verbatim"] = proportion(sum(tally.quotes), len(tally.quotes))
        report.metrics[f"{name}.turn_ms_p50"] = quantile(tally.milliseconds, 0.5)
        report.metrics[f"{name}.turn_ms_p95"] = quantile(tally.milliseconds, 0.95)
    return report


async def _ask_all(folder: Path, engine: str) -> _Tally:
    tally = _Tally()
    async with app_with(rows(folder, "corpus"), engine) as (app, _):
        for row in questions_of(folder)[:MAX_QUESTIONS]:
            await _ask(app, row, tally)
    return tally


async def _ask(app: App, row: Mapping[str, Any], tally: _Tally) -> None:
    started = time.perf_counter()
    live = await app.turns.start(Ask(tenant_id=TENANT, user_id="eval", message=row["question"]))
    await live.finished()
    tally.milliseconds.append((time.perf_counter() - started) * 1000)
    done = live.events()[-1]
    answer = _plain(live.answer)
    tally.answered.append(any(_plain(gold) in answer for gold in row["answers"]))
    tally.cited.append(bool(done.get("citations")))
    for citation in done.get("citations", ()):
        text = (await app.documents.text(TENANT, citation["document_id"])).text
        tally.quotes.append(text[citation["start"] : citation["end"]] == citation["quote"])
    carried = {citation["sentence"] for citation in done.get("citations", ())}
    loose = len(done.get("unsupported", ()))
    if carried or loose:
        tally.supported.append(len(carried) / (len(carried) + loose))


def _plain(text: str) -> str:
    """Text without markers, spaces and case, for looking for an answer in it."""
    return re.sub(r"\s+|\[\d+\]", "", text).casefold()
