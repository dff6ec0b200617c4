"""How many of the gold passages are among the first k: recall@k over public sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.corpora import TENANT, app_with
from evals.data import questions_of, rows
from evals.report import Metric, Report, mean, proportion
from tools.knowledge.protocol import RetrievalQuery

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
    async with app_with(corpus, engine) as (app, owners):
        for name, prefix in files.items():
            questions = [(row["question"], _gold(row, known)) for row in questions_of(folder, prefix)]
            ranked = [await _ranked(app.retriever, owners, question) for question, _ in questions]
            report.metrics.update({name + key: value for key, value in _recalls(questions, ranked).items()})
    return report


async def span_questions(folder: Path, engine: str) -> Report:
    """A span-answer set read as retrieval: the passage of the answer is the gold."""
    questions: list[Question] = [(row["question"], [str(row["passage_id"])]) for row in questions_of(folder)]
    report = Report(folder.name, str(folder), engine)
    async with app_with(rows(folder, "corpus"), engine) as (app, owners):
        ranked = [await _ranked(app.retriever, owners, question) for question, _ in questions]
    report.metrics.update(_recalls(questions, ranked))
    return report


def _has_1k(folder: Path) -> bool:
    return any(folder.glob("questions_1k_*.jsonl*"))


def _gold(row: Mapping[str, Any], known: Mapping[str, str]) -> list[str]:
    """Ids of the gold passages, named by their text where the set gives it (titles repeat), else by title."""
    names = row.get("supporting_texts") or row["supporting_titles"]
    return list(dict.fromkeys(known[name] for name in names if name in known))


async def _ranked(retriever: Any, owners: Mapping[str, str], question: str) -> list[str]:
    found = await retriever.retrieve(TENANT, RetrievalQuery(question, top_k=ASKED))
    return list(dict.fromkeys(owners[passage.document_id] for passage in found.passages))


def _recalls(questions: Sequence[Question], ranked: Sequence[Sequence[str]]) -> dict[str, Metric]:
    pairs = [(set(gold), found) for (_, gold), found in zip(questions, ranked, strict=True) if gold]
    metrics: dict[str, Metric] = {}
    for k in CUTS:
        metrics[f"recall@{k}"] = mean([len(gold & set(found[:k])) / len(gold) for gold, found in pairs])
    metrics["all_gold@5"] = proportion(sum(gold <= set(found[:5]) for gold, found in pairs), len(pairs))
    return metrics
