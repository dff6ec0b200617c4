"""Run suites and compare what they found.

python -m evals list
python -m evals run SUITE [--data PATH] [--engine E] [--json OUT]
python -m evals compare BEFORE.json AFTER.json
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import structlog
import typer
from rich.console import Console
from rich.markdown import Markdown

from evals import report as reports
from evals.report import Report
from evals.settings import EvalSettings
from evals.suites import (
    citations,
    crosswoz,
    dialogue,
    emotion,
    emotion_zh,
    extraction,
    graph,
    intent,
    relations,
    retrieval,
)

Run = Callable[[Path, str], Coroutine[Any, Any, Report]]


@dataclass(frozen=True, slots=True)
class Suite:
    """A thing to measure; `per_set` suites are given their own set's folder, others the data folder."""

    run: Run
    about: str
    per_set: bool = False


SUITES: dict[str, Suite] = {
    "multihop_2wiki": Suite(retrieval.multihop, "passage recall, 2WikiMultiHopQA over 6,119 passages", True),
    "multihop_hotpotqa": Suite(retrieval.multihop, "passage recall, HotpotQA sample", True),
    "multihop_musique": Suite(retrieval.multihop, "passage recall, MuSiQue sample", True),
    "cmrc2018_zh": Suite(retrieval.span_questions, "passage recall, Chinese span questions", True),
    "entities": Suite(extraction.labelled_entities, "our extractor on 300 labelled sentences per language: F1, ECE"),
    "conll04": Suite(extraction.conll04, "our extractor's entities, mapped, CoNLL-2004", True),
    "wikineural_en": Suite(extraction.wikineural, "our extractor's entities, mapped, WikiNEuRal", True),
    "cluener2020_zh": Suite(extraction.cluener, "our tagger trained on its train set, Chinese entities", True),
    "relations": Suite(relations.labelled_relations, "our extractor on 300 labelled sentences per language: F1, ECE"),
    "semeval2010_task8": Suite(
        relations.semeval2010, "our classifier trained on its train set, English relations", True
    ),
    "sanwen_zh": Suite(relations.sanwen, "our classifier trained on its train set, Chinese relations", True),
    "crossre": Suite(relations.crossre_types, "our classifier trained on its train set, six domains", True),
    "goemotions": Suite(emotion.goemotions, "our reader's 28 labels, roll-ups and confidence, GoEmotions", True),
    "emobank": Suite(emotion.emobank, "our reader's valence and arousal, EmoBank", True),
    "meld": Suite(emotion.meld, "our reader's families and sentiment with context, MELD", True),
    "emocontext": Suite(emotion.emocontext, "our reader's happy, sad and angry in chat, EmoContext", True),
    "isarcasm_en": Suite(emotion.isarcasm, "our reader's sign of sarcasm, iSarcasmEval English", True),
    "cped_zh": Suite(emotion_zh.cped, "our code trained on its dev, Chinese emotion and sentiment in dialogue", True),
    "smp2020_zh": Suite(emotion_zh.smp2020, "our code trained on its virus train and dev, emotion of Weibo", True),
    "eprstmt_zh": Suite(emotion_zh.eprstmt, "our reader's sentiment, Chinese buyers' comments", True),
    "deletion_parity": Suite(graph.parity, "20 random histories, each against a graph built of what is left"),
    "graph_cost": Suite(graph.cost, "CPU and memory of building the graph of 6,119 passages"),
    "intents": Suite(intent.labelled_intents, "the router's intents on 400 messages, half of them Chinese"),
    "clinc150": Suite(intent.clinc150, "our intents trained on its train set: in scope, and out of it", True),
    "banking77": Suite(intent.banking77, "our intents trained on its train set, 77 of one trade", True),
    "crosswoz_zh": Suite(crosswoz.crosswoz, "our intents trained on its dev set, Chinese dialogue acts", True),
    "citations": Suite(citations.citations, "quotes verbatim, gold answer found in the answer"),
    "engines": Suite(citations.engines, "the three engines side by side"),
    "dialogues": Suite(dialogue.dialogues, "scenarios with expected events and latency budgets"),
}

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Measure Zhiyin from outside.")
out = Console()


@cli.command("list")
def list_suites() -> None:
    """Name the suites."""
    for name, suite in SUITES.items():
        out.print(f"{name:20} {suite.about}")


@cli.command()
def run(
    suite: str,
    data: Annotated[Path | None, typer.Option(help="Folder of the public sets (EVAL_DATA, ../shared/data).")] = None,
    engine: Annotated[str, typer.Option(help="legacy, workflow or langgraph.")] = "langgraph",
    json: Annotated[Path | None, typer.Option(help="Write the report here as JSON.")] = None,
) -> None:
    """Run one suite and print its report."""
    chosen = SUITES.get(suite)
    if chosen is None:
        raise typer.BadParameter(f"There is no suite {suite!r}; `python -m evals list` names them.")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder = data or EvalSettings().eval_data
    found = asyncio.run(chosen.run(folder / suite if chosen.per_set else folder, engine))
    out.print(Markdown(found.as_markdown()))
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_bytes(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2))


@cli.command()
def compare(before: Path, after: Path) -> None:
    """Two reports side by side."""
    out.print(Markdown(reports.compare(reports.read(before), reports.read(after))))


if __name__ == "__main__":
    cli()
