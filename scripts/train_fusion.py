"""Train the weights that join words, meaning and the graph into one ranking.

    python -m scripts.train_fusion [--data ../shared/data] [--without musique|hotpot] [--out FILE]

The questions are made from the passages of MuSiQue (CC BY 4.0, with the triples that the HippoRAG authors extracted
from it, MIT) and HotpotQA (CC BY-SA 4.0) by `scripts.fusion_questions`, and for Chinese are the dev questions of
CMRC 2018 (CC BY-SA 4.0). No test question and nothing of 2WikiMultiHopQA is read. Every corpus is indexed by the app
itself, with titles and without. One question in five, by a hash of its first gold passage, is kept apart as dev.

The loss is that of a softmax over the documents of a question, for each gold one against all that are none; no
weight is negative, as every feature is made to speak for a passage.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from scipy.optimize import minimize

from evals.corpora import TENANT, app_with
from evals.data import rows
from scripts.fusion_questions import Maker, Triple, passages_of
from tools.knowledge.extraction.names import normal_form
from tools.knowledge.graph.features import NAMES, features
from tools.knowledge.graph.fusion import WEIGHTS
from tools.knowledge.language import detect_language
from tools.knowledge.retriever import HybridRetriever
from tools.stores.chunks import SqlChunkReader

Floats = NDArray[np.float64]
Asked = tuple[str, Sequence[str]]

QUESTIONS = 1_500
"""Made for each corpus; some of them cannot be made and some are made twice."""
SEED = 1
PENALTY = 3e-3
"""Of the squared weights. On dev 1e-3 is 1 point better and 1e-2 1 point worse; people's questions differ from made
ones, so the larger of what costs little."""
CUTS = (2, 5, 10)
CORPORA = {"musique": "multihop_musique", "hotpot": "multihop_hotpotqa", "cmrc": "cmrc2018_zh"}


class Example(NamedTuple):
    """A question's candidates: features (p, f), the document of each, and the gold documents."""

    rows: Floats
    documents: Sequence[str]
    gold: Sequence[str]


def questions(data: Path, name: str) -> list[Asked]:
    """Questions over a corpus and the ids of their gold passages."""
    folder = data / CORPORA[name]
    if name == "cmrc":
        return [(row["question"], [str(row["passage_id"])]) for row in rows(folder, "dev")]
    ids: dict[str, str] = {}
    corpus = rows(folder, "corpus")
    for row in corpus:
        ids.setdefault(row["title"], str(row["id"]))
    made = Maker(passages_of(corpus, _triples(folder) if name == "musique" else None), SEED).make(QUESTIONS)
    return [(question.text, [ids[title] for title in question.gold]) for question in made]


def _triples(folder: Path) -> Mapping[str, Sequence[Triple]]:
    """The given triples about each passage's own title."""
    found: dict[str, list[Triple]] = defaultdict(list)
    for row in rows(folder, "openie_gpt35"):
        title = row["passage"].partition("\n")[0]
        for triple in row["triples"]:
            sound = len(triple) == 3 and all(isinstance(part, str) for part in triple)
            if sound and normal_form(triple[0]) == normal_form(title):
                found[title].append(Triple(title, triple[1], triple[2]))
    return found


async def examples(data: Path, name: str, titled: bool, asked: Sequence[Asked]) -> dict[str, list[Example]]:
    """The candidates of each question over a corpus that the app indexed, by group of weights."""
    corpus = rows(data / CORPORA[name], "trial_corpus" if name == "cmrc" else "corpus")
    found: dict[str, list[Example]] = {"vectors": [], "words": []}
    async with app_with(corpus, titled=titled) as (app, owners):
        retriever = HybridRetriever(SqlChunkReader(app.database), app.embedder, graphs=app.graphs)
        await retriever.candidates(TENANT, asked[0][0])
        await retriever.renewed()
        for text, gold in asked:
            for group in ("words",) if detect_language(text) == "zh" else ("vectors", "words"):
                pooled = await retriever.candidates(TENANT, text, with_vector=group == "vectors")
                if pooled is not None:
                    candidates, documents = pooled
                    table = features(candidates).astype(np.float64)
                    found[group].append(Example(table, [owners[one] for one in documents], gold))
        await retriever.close()
    return found


def train(given: Sequence[Example]) -> Floats:
    """Weights (f,) that rank gold documents first; a document counts by all its candidates."""
    packed = _Packed([example for example in given if set(example.gold) & set(example.documents)])
    bounds = [(0, None)] * packed.rows.shape[1]
    return minimize(packed.loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds).x


class _Packed:
    """All examples end to end: candidates belong to documents, documents to questions."""

    def __init__(self, given: Sequence[Example]) -> None:
        self.rows = np.concatenate([example.rows for example in given])
        documents: list[int] = []
        owners: list[int] = []
        gold: list[bool] = []
        for question, example in enumerate(given):
            places = {name: len(owners) + n for n, name in enumerate(dict.fromkeys(example.documents))}
            documents += [places[name] for name in example.documents]
            owners += [question] * len(places)
            gold += [name in example.gold for name in places]
        self.documents, self.owners, self.gold = np.array(documents), np.array(owners), np.array(gold)
        self.questions = len(given)
        self.share = 1 / np.maximum(np.bincount(self.owners, self.gold, minlength=self.questions), 1)

    def loss(self, weights: Floats) -> tuple[float, Floats]:
        """Mean of -log p over gold documents, p against the documents that are none, and its gradient."""
        scores = self.rows @ weights
        question = self.owners[self.documents]
        highest = np.full(self.questions, -np.inf)
        np.maximum.at(highest, question, scores)
        mass = np.exp(scores - highest[question])
        of_document = np.bincount(self.documents, mass, minlength=len(self.owners))
        others = np.bincount(self.owners, np.where(self.gold, 0, of_document), minlength=self.questions)
        total = of_document + others[self.owners]
        share = np.where(self.gold, self.share[self.owners], 0) / self.questions
        loss = -(share * np.log(np.maximum(of_document / total, 1e-30))).sum()
        of_gold = -share * others[self.owners] / total / np.maximum(of_document, 1e-300)
        of_other = np.bincount(self.owners, share / total, minlength=self.questions)
        slope = np.where(self.gold[self.documents], of_gold[self.documents], of_other[question]) * mass
        return loss + PENALTY * weights @ weights, self.rows.T @ slope + 2 * PENALTY * weights


def calibrate(given: Sequence[Example], weights: Floats) -> tuple[float, float]:
    """Slope and intercept that make the sum a probability (Platt 1999)."""
    sums = np.concatenate([example.rows @ weights for example in given])
    right = np.concatenate([[name in example.gold for name in example.documents] for example in given])

    def loss(line: Floats) -> tuple[float, Floats]:
        logits = line[0] * sums + line[1]
        wrong = 1 / (1 + np.exp(-logits)) - right
        return float(np.mean(np.logaddexp(0, logits) - right * logits)), np.array([np.mean(wrong * sums), wrong.mean()])

    slope, intercept = minimize(loss, np.array([1.0, -5.0]), jac=True).x
    return float(slope), float(intercept)


def recalls(given: Sequence[Example], weights: Floats) -> list[float]:
    """Recall at `CUTS` in percent, documents ranked by their best candidate."""
    found: list[list[float]] = []
    for example in given:
        order = np.argsort(-(example.rows @ weights), kind="stable")
        ranked = list(dict.fromkeys(example.documents[place] for place in order))
        found.append([len(set(example.gold) & set(ranked[:k])) / len(set(example.gold)) for k in CUTS])
    return [round(100 * float(value), 1) for value in np.mean(found, axis=0)] if found else []


def _is_dev(gold: Sequence[str]) -> bool:
    return int(hashlib.md5(gold[0].encode(), usedforsecurity=False).hexdigest(), 16) % 5 == 0


async def learn(data: Path, without: str | None) -> dict[str, Any]:
    """Weights for both groups, and what they find on dev."""
    split: dict[str, dict[str, dict[bool, list[Example]]]] = {"vectors": {}, "words": {}}
    for name in CORPORA:
        asked = [] if name == without else questions(data, name)
        for titled in (True,) if name == "cmrc" else (True, False):
            for group, found in (await examples(data, name, titled, asked)).items() if asked else ():
                parts = split[group].setdefault(name if titled else f"{name} without titles", {True: [], False: []})
                for example in found:
                    parts[_is_dev(example.gold)].append(example)
    return {group: _group(sets) for group, sets in split.items()}


def _group(sets: Mapping[str, Mapping[bool, Sequence[Example]]]) -> dict[str, Any]:
    trained = [example for parts in sets.values() for example in parts[False]]
    weights = train(trained)
    slope, intercept = calibrate(trained, weights)
    dev = {name: recalls(parts[True], weights) for name, parts in sets.items() if parts[True]}
    return {"weights": [round(float(w), 4) for w in weights], "slope": slope, "intercept": intercept, "dev": dev}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, print dev's recall and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--without", choices=tuple(CORPORA))
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    given = parser.parse_args(arguments)
    groups = asyncio.run(learn(given.data, given.without))
    for group, found in groups.items():
        print(group, *(f"{name}: {value}" for name, value in found["dev"].items()), sep="\n  ")
        print("  " + ", ".join(f"{name} {weight}" for name, weight in zip(NAMES, found["weights"], strict=True)))
    given.out.write_bytes(orjson.dumps({"features": NAMES, "groups": groups}, option=orjson.OPT_INDENT_2) + b"\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
