"""How many of the gold passages are among the first k: recall@k over public sets.

Every figure stands beside that of words and vectors alone (`words+vectors.`); multi-hop sets are measured a
second time as plain text files without titles (`untitled.`), as passages rarely are articles of an encyclopedia.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.corpora import TENANT, app_with
from evals.data import questions_of, rows
from evals.report import Metric, Report, mean, proportion
from tools.knowledge.protocol import RetrievalQuery, Retriever, SearchType

CUTS = (1, 2, 5, 10)
ASKED = 20
"""Passages asked for; several may be of one document, which counts once."""

Question = tuple[str, Sequence[str]]


async def multihop(folder: Path, engine: str) -> Report:
    """A multi-hop set: gold passages are named by title."""
    corpus = rows(folder, "corpus")
    files = {"": "questions_1k_", "sample.": ""} if _has_1k(folder) else {"": ""}
    report = Report(folder.name, str(folder), engine)
    known: dict[str, str] = {}
    for passage in corpus:
        known.setdefault(passage["title"], str(passage["id"]))
        known[passage["text"]] = str(passage["id"])
    asked = {
        name: [(row["question"], _gold(row, known)) for row in questions_of(folder, prefix)]
        for name, prefix in files.items()
    }
    for prefix, titled in (("", True), ("untitled.", False)):
        async with app_with(corpus, engine, titled=titled) as (app, owners):
            for name, questions in asked.items():
                report.metrics.update(await _measured(app.retriever, owners, questions, prefix + name))
    return report


async def span_questions(folder: Path, engine: str) -> Report:
    """A span-answer set read as retrieval: the passage of the answer is the gold."""
    questions: list[Question] = [(row["question"], [str(row["passage_id"])]) for row in questions_of(folder)]
    report = Report(folder.name, str(folder), engine)
    async with app_with(rows(folder, "corpus"), engine) as (app, owners):
        report.metrics.update(await _measured(app.retriever, owners, questions, ""))
    return report


async def _measured(
    retriever: Retriever, owners: Mapping[str, str], questions: Sequence[Question], prefix: str
) -> dict[str, Metric]:
    """With the graph, and by words and vectors alone."""
    metrics: dict[str, Metric] = {}
    kinds: Mapping[str, SearchType] = {"": "hybrid", "words+vectors.": "vector"}
    for name, kind in kinds.items():
        ranked = [await _ranked(retriever, owners, question, kind) for question, _ in questions]
        metrics.update({prefix + name + key: value for key, value in _recalls(questions, ranked).items()})
    return metrics


def _has_1k(folder: Path) -> bool:
    return any(folder.glob("questions_1k_*.jsonl*"))


def _gold(row: Mapping[str, Any], known: Mapping[str, str]) -> list[str]:
    """Ids of the gold passages, named by their text where the set gives it (titles repeat), else by title."""
    names = row.get("supporting_texts") or row["supporting_titles"]
    return list(dict.fromkeys(known[name] for name in names if name in known))


async def _ranked(retriever: Retriever, owners: Mapping[str, str], question: str, kind: SearchType) -> list[str]:
    query = RetrievalQuery(question, top_k=ASKED, search_type=kind, use_path_reasoning=False)
    found = await retriever.retrieve(TENANT, query)
    return list(dict.fromkeys(owners[passage.document_id] for passage in found.passages))


def _recalls(questions: Sequence[Question], ranked: Sequence[Sequence[str]]) -> dict[str, Metric]:
    pairs = [(set(gold), found) for (_, gold), found in zip(questions, ranked, strict=True) if gold]
    metrics: dict[str, Metric] = {}
    for k in CUTS:
        metrics[f"recall@{k}"] = mean([len(gold & set(found[:k])) / len(gold) for gold, found in pairs])
    metrics["all_gold@5"] = proportion(sum(gold <= set(found[:5]) for gold, found in pairs), len(pairs))
    return metrics
