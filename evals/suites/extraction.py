"""What the extractor finds against what careful readers labelled: F1 of exact spans and types, and calibration."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from evals.data import questions_of, rows
from evals.report import Metric, Report, proportion
from tools.knowledge.extraction.extractor import TYPED_CONFIDENCE, open_extractor
from tools.knowledge.extraction.labelled import read_labelled
from tools.knowledge.extraction.protocol import ENTITY_TYPES, Extractor, Mention

LABELLED = Path(__file__).parent.parent / "labelled"
LANGUAGES = ("en", "zh")
BINS = 10
CONLL04 = {"Peop": "person", "Org": "organization", "Loc": "location"}
WIKINEURAL = {"PER": "person", "ORG": "organization", "LOC": "location"}

Spans = set[tuple[int, int, str]]


class Reading(NamedTuple):
    """One text: what is there, and what was found with which confidence."""

    gold: Spans
    found: Sequence[tuple[int, int, str, float]]


async def labelled_entities(folder: Path, engine: str) -> Report:
    """Entities in the sentences of evals/labelled, which no training has seen; needs no public set."""
    report = Report("entities", str(LABELLED), engine)
    for language in LANGUAGES:
        readings = await asyncio.to_thread(_read_labelled, language)
        report.metrics.update(
            {f"{language}.{name}": metric for name, metric in _figures(readings, ENTITY_TYPES).items()}
        )
    report.notes.append(
        f"F1 counts mentions from confidence {TYPED_CONFIDENCE} on; below, a mention is a name for linking. "
        "ECE is over all mentions, in ten bins."
    )
    return report


async def conll04(folder: Path, engine: str) -> Report:
    """News sentences; people, organizations and locations only. Measured, never trained on."""
    return await asyncio.to_thread(_mapped, folder, engine, CONLL04)


async def wikineural(folder: Path, engine: str) -> Report:
    """Wikipedia sentences with silver labels; people, organizations and locations only."""
    return await asyncio.to_thread(_mapped, folder, engine, WIKINEURAL)


async def cluener(folder: Path, engine: str) -> Report:
    """Ten Chinese types by a tagger trained here and now on the set's own `train`; nothing of it is shipped."""
    from evals.suites.own_tagger import train_on

    report = Report(folder.name, str(folder), engine)
    tag = await asyncio.to_thread(train_on, rows(folder, "train"))
    readings = [Reading(_gold_of(row), tag(row["text"])) for row in questions_of(folder)]
    types = sorted({kind for reading in readings for _, _, kind in reading.gold})
    report.metrics.update(_figures(readings, types))
    return report


def _read_labelled(language: str) -> list[Reading]:
    extractor = open_extractor()
    return [
        Reading(
            {(entity.start, entity.end, entity.type) for entity in sentence.entities},
            _found(extractor, sentence.text, language),
        )
        for sentence in read_labelled(LABELLED / f"{language}.txt")
    ]


def _found(extractor: Extractor, text: str, language: str) -> list[tuple[int, int, str, float]]:
    mentions: Sequence[Mention] = extractor.extract(text, "", "", language).mentions
    return [(mention.start, mention.end, mention.type, mention.confidence) for mention in mentions]


def _mapped(folder: Path, engine: str, mapping: dict[str, str]) -> Report:
    """Score the types of `mapping` alone: neither the set's other types nor ours count."""
    extractor = open_extractor()
    report = Report(folder.name, str(folder), engine)
    readings: list[Reading] = []
    kept = set(mapping.values())
    for row in questions_of(folder):
        text, starts, ends = _joined(row["tokens"])
        gold = {
            (starts[entity["start"]], ends[entity["end"] - 1], mapping[entity["type"]])
            for entity in row["entities"]
            if entity["type"] in mapping
        }
        readings.append(Reading(gold, [span for span in _found(extractor, text, "en") if span[2] in kept]))
    report.metrics.update(_figures(readings, sorted(kept)))
    report.notes.append("Types mapped: " + ", ".join(f"{theirs} = {ours}" for theirs, ours in mapping.items()))
    return report


def _joined(tokens: Iterable[str]) -> tuple[str, list[int], list[int]]:
    """The tokens as text, each after a space, and where each begins and ends."""
    text, starts, ends = "", list[int](), list[int]()
    for token in tokens:
        text += " " if text else ""
        starts.append(len(text))
        text += token
        ends.append(len(text))
    return text, starts, ends


def _gold_of(row: dict[str, Any]) -> Spans:
    return {(entity["start"], entity["end"], entity["type"]) for entity in row["entities"]}


def _figures(readings: Sequence[Reading], types: Sequence[str]) -> dict[str, Metric]:
    """Micro precision, recall and F1, the F1 of each type, and the expected calibration error."""
    figures = {
        "micro_f1": _f1(readings, lambda kind: True),
        "precision": proportion(*_hits_of_found(readings)),
        "recall": proportion(*_hits_of_gold(readings)),
        "ece": _ece(readings),
    }
    for kind in types:
        figures[f"f1.{kind}"] = _f1(readings, lambda other, kind=kind: other == kind)
    return figures


def _typed(reading: Reading) -> Spans:
    return {(start, end, kind) for start, end, kind, confidence in reading.found if confidence >= TYPED_CONFIDENCE}


def _hits_of_found(readings: Sequence[Reading]) -> tuple[int, int]:
    return sum(len(_typed(r) & r.gold) for r in readings), sum(len(_typed(r)) for r in readings)


def _hits_of_gold(readings: Sequence[Reading]) -> tuple[int, int]:
    return sum(len(_typed(r) & r.gold) for r in readings), sum(len(r.gold) for r in readings)


def _f1(readings: Sequence[Reading], wanted: Callable[[str], bool]) -> Metric:
    """F1 = hits / (mean of found and gold), with the interval of a share of as many."""
    hits = found = gold = 0
    for reading in readings:
        told = {span for span in _typed(reading) if wanted(span[2])}
        true = {span for span in reading.gold if wanted(span[2])}
        hits, found, gold = hits + len(told & true), found + len(told), gold + len(true)
    interval = proportion(2 * hits, found + gold)
    return Metric(interval.value, interval.low, interval.high, gold)


def _ece(readings: Sequence[Reading]) -> Metric:
    """The mean distance of confidence from accuracy over ten bins (Naeini et al. 2015)."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for reading in readings:
        for start, end, kind, confidence in reading.found:
            bins[min(BINS - 1, int(confidence * BINS))].append((confidence, (start, end, kind) in reading.gold))
    count = sum(map(len, bins))
    error = sum(abs(sum(sure for sure, _ in part) - sum(right for _, right in part)) for part in bins) / max(1, count)
    return Metric(error, error, error, count)
