"""Relations: what the shipped extractor finds against labelled sentences, and its features on public sets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evals.data import questions_of, rows
from evals.relation_sets import MarkedPair, crossre, named_pairs, semeval
from evals.report import Metric, Report, proportion
from tools.knowledge.extraction.extractor import open_extractor
from tools.knowledge.extraction.labelled import LabelledSentence, read_labelled
from tools.knowledge.extraction.protocol import RELATION_TYPES, Extractor, Mention, Relation
from tools.knowledge.extraction.relations import COUNTED_FROM, find_relations
from tools.knowledge.extraction.relations_features import PairFeatures
from tools.knowledge.extraction.relations_lexicon import Language, Lexicon, open_lexicon
from tools.knowledge.extraction.relations_sentence import Spot, view_sentence
from tools.knowledge.extraction.relations_training import SYMMETRIC, Example, fit

LABELLED = Path(__file__).parent.parent / "labelled"
LANGUAGES = ("en", "zh")
BINS = 10
STRENGTH = 0.5
"""Inverse penalty of the classifiers trained here on public sets."""

End = tuple[int, int, str]
Fact = tuple[End, str, End]
Read = Callable[[LabelledSentence, str], tuple[Sequence[Mention], Sequence[Relation]]]


class Reading(NamedTuple):
    """One sentence: the relations that are there, and those found with which confidence."""

    gold: set[Fact]
    found: Sequence[tuple[Fact, float]]


async def labelled_relations(folder: Path, engine: str) -> Report:
    """Relations in the sentences of evals/labelled: end to end, and with the entities given; needs no public set."""
    report = Report("relations", str(LABELLED), engine)
    extractor = open_extractor()
    for language in LANGUAGES:
        sentences = read_labelled(LABELLED / f"{language}.txt")
        for name, read in (("", _end_to_end(extractor)), ("given_entities.", _given_entities)):
            readings = await asyncio.to_thread(_readings, sentences, language, read)
            figures = _figures([_without_types(reading) for reading in readings])
            figures["typed_ends.micro_f1"] = _f1(_said(readings), readings, RELATION_TYPES)
            report.metrics.update({f"{language}.{name}{figure}": metric for figure, metric in figures.items()})
    report.notes.append(
        "A relation is right when both spans, its type and its direction are; for `typed_ends` the types of both ends "
        f"must be right too. F1 counts relations from confidence {COUNTED_FROM} on; below, one only says that two "
        "belong together. ECE is over all of them, in ten bins."
    )
    return report


async def semeval2010(folder: Path, engine: str) -> Report:
    """SemEval-2010 task 8 by a classifier trained here on its `train`: macro-F1 of the nine relations, directed."""
    report = Report(folder.name, str(folder), engine)
    pairs = list(semeval(questions_of(folder)))
    told = await asyncio.to_thread(_trained_on, list(semeval(rows(folder, "train"))), pairs, "en")
    kinds = sorted({pair.label for pair in pairs} - {"Other"})
    by_kind = [_f1_of(kind, [_directed(pair) for pair in pairs], told) for kind in kinds]
    report.metrics["macro_f1"] = _share(sum(by_kind) / len(by_kind), len(pairs))
    report.metrics.update({f"f1.{kind}": _share(value, len(pairs)) for kind, value in zip(kinds, by_kind, strict=True)})
    return report


async def sanwen(folder: Path, engine: str) -> Report:
    """SanWen by a classifier trained here on its `train`: micro-F1 of the relations, `unknown` left out."""
    report = Report(folder.name, str(folder), engine)
    pairs = list(named_pairs(questions_of(folder)))
    told = await asyncio.to_thread(_trained_on, list(named_pairs(rows(folder, "train"))), pairs, "zh", True)
    gold = [_directed(pair) for pair in pairs]
    report.metrics["micro_f1"] = _micro(gold, told, "unknown")
    report.metrics["accuracy"] = proportion(sum(a == b for a, b in zip(gold, told, strict=True)), len(gold))
    return report


async def crossre_types(folder: Path, engine: str) -> Report:
    """CrossRE: the type of each related pair, by a classifier trained here on its `train`; nothing of it is shipped."""
    report = Report(folder.name, str(folder), engine)
    pairs = list(crossre(questions_of(folder)))
    told = await asyncio.to_thread(_trained_on, list(crossre(rows(folder, "train"))), pairs, "en", True)
    gold = [_directed(pair) for pair in pairs]
    report.metrics["micro_f1"] = _micro(gold, told, "")
    kinds = sorted({pair.label for pair in pairs})
    report.metrics["macro_f1"] = _share(sum(_f1_of(kind, gold, told) for kind in kinds) / len(kinds), len(pairs))
    return report


def _readings(sentences: Sequence[LabelledSentence], language: str, read: Read) -> list[Reading]:
    return [_reading(sentence, *read(sentence, language)) for sentence in sentences]


def _reading(sentence: LabelledSentence, mentions: Sequence[Mention], relations: Sequence[Relation]) -> Reading:
    ends: list[End] = [(entity.start, entity.end, entity.type) for entity in sentence.entities]
    spans: list[End] = [(mention.start, mention.end, mention.type) for mention in mentions]
    gold = {_fact(ends[r.head], r.type, ends[r.tail]) for r in sentence.relations}
    return Reading(gold, [(_fact(spans[r.head], r.type, spans[r.tail]), r.confidence) for r in relations])


def _fact(head: End, kind: str, tail: End) -> Fact:
    """Of symmetric relations the earlier end comes first, whichever way they are written."""
    return (tail, kind, head) if kind in SYMMETRIC and tail < head else (head, kind, tail)


def _end_to_end(extractor: Extractor) -> Read:
    def read(sentence: LabelledSentence, language: str) -> tuple[Sequence[Mention], Sequence[Relation]]:
        found = extractor.extract(sentence.text, "", "", language)
        return found.mentions, found.relations

    return read


def _given_entities(sentence: LabelledSentence, language: str) -> tuple[Sequence[Mention], Sequence[Relation]]:
    mentions = [
        Mention(entity.start, entity.end, sentence.text[entity.start : entity.end], "", entity.type, 1.0, "given")
        for entity in sentence.entities
    ]
    return mentions, find_relations(sentence.text, mentions, language)


def _figures(readings: Sequence[Reading]) -> dict[str, Metric]:
    said = _said(readings)
    hits = sum(len(told & reading.gold) for told, reading in zip(said, readings, strict=True))
    figures = {
        "micro_f1": _f1(said, readings, RELATION_TYPES),
        "precision": proportion(hits, sum(map(len, said))),
        "recall": proportion(hits, sum(len(reading.gold) for reading in readings)),
        "ece": _ece(readings),
    }
    for kind in RELATION_TYPES:
        figures[f"f1.{kind}"] = _f1(said, readings, (kind,))
    return figures


def _said(readings: Sequence[Reading]) -> list[set[Fact]]:
    return [{fact for fact, sure in reading.found if sure >= COUNTED_FROM} for reading in readings]


def _without_types(reading: Reading) -> Reading:
    """The same with ends that are spans alone."""
    return Reading({_bare(fact) for fact in reading.gold}, [(_bare(fact), sure) for fact, sure in reading.found])


def _bare(fact: Fact) -> Fact:
    head, kind, tail = fact
    return (head[0], head[1], ""), kind, (tail[0], tail[1], "")


def _f1(said: Sequence[set[Fact]], readings: Sequence[Reading], kinds: Iterable[str]) -> Metric:
    """F1 = hits / (mean of found and gold), with the interval of a share of as many."""
    wanted = set(kinds)
    told = [{fact for fact in facts if fact[1] in wanted} for facts in said]
    gold = [{fact for fact in reading.gold if fact[1] in wanted} for reading in readings]
    hits = sum(len(one & other) for one, other in zip(told, gold, strict=True))
    size = (sum(map(len, told)) + sum(map(len, gold))) / 2
    return _share(hits / size if size else 0.0, round(size))


def _ece(readings: Sequence[Reading]) -> Metric:
    """Expected calibration error: the mean gap between confidence and share of right ones, in bins of a tenth."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for reading in readings:
        for fact, sure in reading.found:
            bins[min(BINS - 1, int(sure * BINS))].append((sure, fact in reading.gold))
    count = sum(map(len, bins))
    gaps = [abs(sum(sure for sure, _ in cell) - sum(right for _, right in cell)) for cell in bins]
    return _share(sum(gaps) / count if count else 0.0, count)


def _share(value: float, n: int) -> Metric:
    """A figure between 0 and 1 with the interval of a share of `n`."""
    around = proportion(round(value * n), n)
    return Metric(value, min(value, around.low), max(value, around.high), n)


def _trained_on(
    train: Sequence[MarkedPair], test: Sequence[MarkedPair], language: Language, way_given: bool = False
) -> list[str]:
    """Directed labels of `test` by the shipped features, weighed by what `train` teaches.

    `way_given`: the set says which of the two is the head, so that only the type is to be told.
    """
    lexicon = open_lexicon(language)
    examples = [Example(_features(pair, lexicon), _directed(pair)) for pair in train]
    classes = sorted({example.label for example in examples})
    weights = fit(examples, classes, STRENGTH)
    scored = weights.probabilities([weights.rows(_features(pair, lexicon)) for pair in test])
    if way_given:
        ways = np.array([name[-1] for name in classes])
        scored[np.array([_directed(pair)[-1] for pair in test])[:, None] != ways] = 0
    return [classes[number] for number in scored.argmax(axis=1).tolist()]


def _features(pair: MarkedPair, lexicon: Lexicon) -> list[str]:
    """As one passage's sentence; the type names of other sets stand as they are."""
    spots: list[Spot] = sorted([*pair.spots, *pair.others])
    one, other = spots.index(pair.spots[0]), spots.index(pair.spots[1])
    view = view_sentence(pair.text, 0, len(pair.text), spots, lexicon)
    return PairFeatures(view, lexicon).of(one, other)


def _directed(pair: MarkedPair) -> str:
    return pair.label + ("<" if pair.turned else ">")


def _f1_of(kind: str, gold: Sequence[str], told: Sequence[str]) -> float:
    """F1 of one relation over both directions: a pair the wrong way round is wrong."""
    hits = sum(a == b and a[:-1] == kind for a, b in zip(gold, told, strict=True))
    size = sum(a[:-1] == kind for a in gold) + sum(b[:-1] == kind for b in told)
    return 2 * hits / size if size else 0.0


def _micro(gold: Sequence[str], told: Sequence[str], nothing: str) -> Metric:
    counts: Counter[str] = Counter()
    for a, b in zip(gold, told, strict=True):
        counts["gold"] += a[:-1] != nothing
        counts["told"] += b[:-1] != nothing
        counts["hits"] += a == b and a[:-1] != nothing
    size = (counts["gold"] + counts["told"]) / 2
    return _share(counts["hits"] / size if size else 0.0, round(size))
