"""The graph as a whole: whether it forgets exactly, and what building it costs."""

from __future__ import annotations

import random
import re
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.wiring import App, open_app
from evals.corpora import BATCH, TENANT, markdown, throwaway
from evals.data import rows
from evals.report import Metric, Report, proportion
from tools.knowledge.extraction.labelled import read_labelled
from tools.knowledge.options import IndexOptions

LABELLED = Path(__file__).parents[1] / "labelled"
HISTORIES = 20
STEPS = 14
SENTENCES = 6
"""Sentences in a document, at most: few, so that many names stand or fall by a single document."""
PAGE = 1_000


async def parity(folder: Path, engine: str) -> Report:
    """Random histories of uploads, changes and deletions, each against a graph built of what is left at its end.

    Documents are made of the labelled sentences, in both languages. `folder` is not read.
    """
    report = Report("deletion_parity", str(LABELLED), engine)
    sentences = {language: _sentences(language) for language in ("en", "zh")}
    equal, compared = 0, 0
    for seed in range(HISTORIES):
        draw = random.Random(seed)
        history = _history(draw, sentences["en" if seed % 2 else "zh"])
        left: dict[str, str] = {}
        for name, text in history:
            left.pop(name, None) if text is None else left.update({name: text})
        by_history = await _built(history, engine)
        at_once = await _built(list(left.items()), engine)
        equal += by_history == at_once
        compared += sum(map(len, at_once.values()))
    report.metrics["histories with the same graph, row by row"] = proportion(equal, HISTORIES)
    report.notes.append(f"{compared} rows compared over {HISTORIES} histories of {STEPS} steps")
    return report


async def cost(folder: Path, engine: str) -> Report:
    """CPU seconds and memory of building the graph of the 2Wiki corpus, its embeddings apart."""
    report = Report("graph_cost", str(folder), engine)
    corpus = rows(folder / "multihop_2wiki", "corpus")
    plain, graph = await _cost_of(corpus, engine, graph=False), await _cost_of(corpus, engine, graph=True)
    figures = {
        "CPU s, files to graph": graph.cpu_seconds,
        "CPU s, of that the graph": graph.cpu_seconds - plain.cpu_seconds,
        "RSS MB, app": graph.app_mb,
        "RSS MB, reader of files": graph.reader_mb,
        **{name: float(number) for name, number in graph.counts.items()},
    }
    report.metrics = {name: Metric(value, value, value, len(corpus)) for name, value in figures.items()}
    return report


@dataclass(frozen=True, slots=True)
class _Cost:
    cpu_seconds: float
    app_mb: float
    reader_mb: float
    counts: Mapping[str, int]


async def _cost_of(corpus: Sequence[Mapping[str, Any]], engine: str, *, graph: bool) -> _Cost:
    """Build a data set without vectors: with its graph, or with nothing but words."""
    with tempfile.TemporaryDirectory(prefix="zhiyin-eval-") as folder:
        before = _cpu()
        async with open_app(throwaway(Path(folder), engine)) as app:
            options = IndexOptions(build_graph=graph)
            await app.ingestor.submit(TENANT, "default", [("first.txt", b"The first.")])
            await app.ingestor.idle()
            await app.ingestor.reindex(TENANT, "default", "graph", options)
            for at in range(0, len(corpus), BATCH):
                files = [(f"{at + n}.md", markdown(passage)) for n, passage in enumerate(corpus[at : at + BATCH])]
                await app.ingestor.submit(TENANT, "default", files)
            await app.settled()
            counts = await app.graphs.counts(TENANT, "default")
        return _Cost(_cpu() - before, _peak_mb(resource.RUSAGE_SELF), _peak_mb(resource.RUSAGE_CHILDREN), counts)


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_mb(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def _sentences(language: str) -> list[str]:
    return [labelled.text for labelled in read_labelled(LABELLED / f"{language}.txt")]


def _history(draw: random.Random, sentences: Sequence[str]) -> list[tuple[str, str | None]]:
    """Uploads, changes and deletions (None) of a few documents whose sentences overlap."""
    history: list[tuple[str, str | None]] = []
    there: set[str] = set()
    few = draw.sample(list(sentences), 30)
    for _ in range(STEPS):
        name = f"{draw.randrange(6)}.md"
        if name in there and draw.random() < 0.4:
            history.append((name, None))
            there.discard(name)
        else:
            title = re.sub(r"\W+", " ", draw.choice(few))[:24]
            body = "\n\n".join(draw.sample(few, draw.randint(1, SENTENCES)))
            history.append((name, f"# {title}\n\n{body}\n"))
            there.add(name)
    return history


async def _built(history: Sequence[tuple[str, str | None]], engine: str) -> dict[str, list[Any]]:
    """The graph after a history, by kind of row, in an order and under names that do not depend on it."""
    with tempfile.TemporaryDirectory(prefix="zhiyin-eval-") as folder:
        async with open_app(throwaway(Path(folder), engine)) as app:
            for name, text in history:
                if text is not None:
                    await app.ingestor.submit(TENANT, "default", [(name, text.encode())])
                    await app.ingestor.idle()
                else:
                    page = await app.documents.documents(TENANT, "default", 100, None)
                    (document,) = [document for document in page.items if document.name == name]
                    await app.ingestor.delete_document(TENANT, document.id)
            await app.settled()
            return await rows_by_name(app, "default")


async def rows_by_name(app: App, dataset_id: str) -> dict[str, list[Any]]:
    """A data set's graph with documents named by their files and chunks by where they stand."""
    graph = await app.graphs.read(TENANT, dataset_id)
    page = await app.documents.documents(TENANT, dataset_id, 200, None)
    names = {document.id: document.name for document in page.items}
    texts = await app.outbox.texts(TENANT, dataset_id, 0, PAGE)
    chunk = {text.position: (names[text.document_id], text.start) for text in texts}
    at = [chunk[int(position)] for position in graph.positions]
    norms = [entity.norm for entity in graph.entities]
    mentions = zip(graph.mention_chunks, graph.mention_entities, strict=True)
    edges = zip(graph.edge_heads, graph.edge_relations, graph.edge_tails, graph.edge_confidences, strict=True)
    communities = await app.graphs.communities(TENANT, dataset_id)
    return {
        "entities": [tuple(entity) for entity in graph.entities],
        "chunks": sorted(at),
        "subjects": sorted((at[n], norms[e] if e >= 0 else "") for n, e in enumerate(graph.subjects)),
        "mentions": sorted((at[n], norms[e]) for n, e in mentions),
        "edges": sorted((norms[h], graph.relations[r], norms[t], round(float(c), 6)) for h, r, t, c in edges),
        "communities": sorted((one.id, one.level, one.parent, tuple(one.members)) for one in communities),
    }
