"""Train the relation classifiers in `tools/knowledge/extraction/artefacts/relations-{en,zh}`.

    python scripts/train_relations.py [en] [zh] [--data ../shared/data] [--try]

Needs the `ml` extra. Learns from our own sentences (scripts/training) and, at a tenth of their weight, from public
sets that may be shipped from: SemEval-2010 task 8 (CC BY 3.0), Causal News Corpus (CC0), SanWen and FinRE (MIT).
`--try` prints figures by five folds and on the dev sentences, and writes nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from evals.data import rows
from evals.relation_sets import MarkedPair, causal_spans, named_pairs, semeval
from tools.knowledge.extraction.artefact import FOLDER
from tools.knowledge.extraction.extractor import open_extractor
from tools.knowledge.extraction.labelled import LabelledSentence, read_labelled
from tools.knowledge.extraction.protocol import ENTITY_TYPES, RELATION_TYPES
from tools.knowledge.extraction.relations import candidates, confidence_of, pairs_of
from tools.knowledge.extraction.relations_features import PairFeatures
from tools.knowledge.extraction.relations_lexicon import Language, Lexicon, open_lexicon
from tools.knowledge.extraction.relations_model import NONE, Weights, load_weights, save_weights
from tools.knowledge.extraction.relations_sentence import Spot, view_sentence
from tools.knowledge.extraction.relations_training import SYMMETRIC, Example, class_of, fit

TRAINING = Path(__file__).parent / "training"
CLASSES = (NONE, *(class_of(kind, way) for kind in RELATION_TYPES for way in ("=" if kind in SYMMETRIC else "><")))
SOURCES = ("extraction", "relations")
FOLDS = 5
DEV_OF = 8
"""One sentence in so many, by hash, is dev; the taggers keep the same ones apart."""
STRENGTH = 0.3
OTHERS_WEIGHT = {"en": 0.1, "zh": 0.03}
"""What a pair of a public set counts for. At .1, English gains .1 to .3 points of F1, Chinese loses .2 to .6."""
NOISY_WEIGHT = 0.5
LEAST = 4
"""Pairs that a feature must be met in; each own pair is there twice, as labelled and noisy."""
LIGHTEST = 0.03
SKIP_FROM = 0.93
"""Probability of no relation from which a pair is not looked at further."""
CONFUSED = {
    "concept": ("process", "product", "metric"), "process": ("concept", "event"), "metric": ("concept",),
    "product": ("concept", "work", "organization"), "work": ("product", "concept"), "event": ("process", "work"),
    "person": ("organization",), "organization": ("product", "location", "person"), "location": ("organization",),
    "time": ("event",),
}  # fmt: skip
"""What a tagger takes a type for."""
SEMEVAL = {
    "Cause-Effect": ("causes>", "causes<"),
    "Component-Whole": ("part_of>", "contains>"),
    "Member-Collection": ("part_of>", "contains>"),
    "Instrument-Agency": ("uses<", "uses>"),
    "Product-Producer": ("created_by>", "produces>"),
}
"""Our class where the first argument comes first, and where it comes second. The rest fits none of ours."""
SANWEN = {
    "Located": "located_in", "Use": "uses", "Create": "created_by~", "Near": "related_to", "Family": "related_to",
    "Social": "related_to", "Ownership": "related_to", "unknown": NONE,
}  # fmt: skip
FINRE = {
    "合作": "related_to", "竞争": "compared_with", "收购": "related_to", "持股": "related_to", "拥有": "contains",
    "被拥有": "part_of", "成立": "created_by~", "被成立": "created_by", "发行": "produces", "被发行": "produces~",
    "合并": "related_to", "unknown": NONE,
}  # fmt: skip
"""Our type by theirs; `~` where their head is our tail."""


def is_dev(sentence: LabelledSentence) -> bool:
    """Whether a sentence is kept for measuring."""
    return hashlib.sha256(sentence.text.encode()).digest()[0] % DEV_OF == 0


def own_examples(sentence: LabelledSentence, lexicon: Lexicon, spots: Sequence[Spot], weight: float) -> list[Example]:
    """All pairs of a sentence; `spots` stand for its entities in order, None-typed ones are left out."""
    kept = [place for place, spot in enumerate(spots) if spot.type]
    view = view_sentence(sentence.text, 0, len(sentence.text), [spots[place] for place in kept], lexicon)
    made = PairFeatures(view, lexicon)
    gold = {(min(r.head, r.tail), max(r.head, r.tail)): r for r in sentence.relations}
    found: list[Example] = []
    for one, other in pairs_of(len(kept)):
        relation = gold.get((kept[one], kept[other]))
        label = class_of(relation.type, "><"[relation.head > relation.tail]) if relation else NONE
        found.append(Example(made.of(one, other), label, weight))
    return found


def gold_spots(sentence: LabelledSentence) -> list[Spot]:
    """The sentence's entities as they are labelled."""
    return [Spot(entity.start, entity.end, entity.type) for entity in sentence.entities]


def noisy_spots(sentence: LabelledSentence) -> list[Spot]:
    """The entities as a tagger might give them: some missed, some of another type. The same for the same sentence."""
    rng = random.Random(zlib.crc32(sentence.text.encode()))  # noqa: S311
    return [spot._replace(type=_misread(spot.type, rng)) for spot in gold_spots(sentence)]


def _misread(kind: str, rng: random.Random) -> str:
    drawn = rng.random()
    if drawn < 0.12:
        return ""
    if drawn < 0.3:
        return rng.choice(CONFUSED[kind])
    return rng.choice(ENTITY_TYPES) if drawn < 0.32 else kind


def other_examples(language: Language, data: Path, lexicon: Lexicon) -> Iterator[Example]:
    """Pairs of the public sets whose relation is one of ours, without entity types."""
    if language == "en":
        for pair in semeval(rows(data / "semeval2010_task8", "train")):
            if pair.label in SEMEVAL:
                yield _example(pair, SEMEVAL[pair.label][pair.turned], lexicon)
        for pair in causal_spans(rows(data / "causal_news_corpus", "spans_train")):
            yield _example(pair, class_of("causes", "><"[pair.turned]), lexicon)
        return
    for name, ours in (("sanwen_zh", SANWEN), ("finre_zh", FINRE)):
        for pair in named_pairs(rows(data / name, "train")):
            if kind := ours.get(pair.label):
                turned = pair.turned != kind.endswith("~")
                label = NONE if kind == NONE else class_of(kind.rstrip("~"), "><"[turned])
                yield _example(pair, label, lexicon)


def _example(pair: MarkedPair, label: str, lexicon: Lexicon) -> Example:
    view = view_sentence(pair.text, 0, len(pair.text), pair.spots, lexicon)
    return Example(PairFeatures(view, lexicon).of(0, 1), label, OTHERS_WEIGHT[lexicon.language])


class Corpus:
    """Own sentences with their examples, gold and noisy, and the examples of other sets."""

    def __init__(self, language: Language, data: Path) -> None:
        self.language: Language = language
        self.lexicon = open_lexicon(language)
        paths = [path for name in SOURCES if (path := TRAINING / f"{name}_{language}.txt").exists()]
        self.sentences = [sentence for path in paths for sentence in read_labelled(path) if sentence.entities]
        self.sources = [path.name for path in paths]
        self.gold = [own_examples(s, self.lexicon, gold_spots(s), 1.0) for s in self.sentences]
        self.noisy = [own_examples(s, self.lexicon, noisy_spots(s), NOISY_WEIGHT) for s in self.sentences]
        self.others = list(other_examples(language, data, self.lexicon))

    def fit(self, kept: Iterable[int]) -> Weights:
        """Weights learned from the sentences at the places `kept`, and from the other sets."""
        examples = list(self.others)
        for place in kept:
            examples += self.gold[place] + self.noisy[place]
        return fit(examples, CLASSES, STRENGTH, LEAST, LIGHTEST)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*", default=["en", "zh"], choices=["en", "zh"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--try", action="store_true", dest="trying", help="print figures, write nothing")
    given = parser.parse_args()
    for language in given.languages:
        corpus = Corpus(language, given.data)
        probabilities, labels = by_folds(corpus)
        calibration = calibrate(probabilities, labels)
        print(
            language, len(corpus.sentences), "sentences, entities given;", figures(probabilities, labels, calibration)
        )
        if (FOLDER / f"tagger-{language}").exists():
            calibration[2] = on_dev(corpus, calibration)
        if not given.trying:
            write(corpus, calibration)


def by_folds(corpus: Corpus) -> tuple[np.ndarray, list[str]]:
    """Probabilities of the pairs of each sentence by weights that never saw it, and their classes."""
    fold = [zlib.crc32(sentence.text.encode()) % FOLDS for sentence in corpus.sentences]
    found, labels = [], []
    for number in range(FOLDS):
        weights = corpus.fit(place for place, of in enumerate(fold) if of != number)
        seen = [example for place, of in enumerate(fold) if of == number for example in corpus.gold[place]]
        found.append(weights.probabilities([weights.rows(example.features) for example in seen]))
        labels += [example.label for example in seen]
    return np.concatenate(found), labels


def on_dev(corpus: Corpus, calibration: Sequence[float]) -> float:
    """The power by which mentions' confidence counts, by what the tagger finds in the dev sentences; prints F1 there.

    The weights have not seen these sentences; the tagger must have kept them apart too.
    """
    apart = [place for place, sentence in enumerate(corpus.sentences) if is_dev(sentence)]
    weights = corpus.fit(sorted(set(range(len(corpus.sentences))) - set(apart)))
    extractor = open_extractor()
    probability, sureness, right, gold = [], [], [], 0
    for place in apart:
        sentence = corpus.sentences[place]
        mentions = extractor.extract(sentence.text, "", "", corpus.language).mentions
        ends = {(e.start, e.end): number for number, e in enumerate(sentence.entities)}
        truth = {(min(r.head, r.tail), max(r.head, r.tail), r.type, r.head > r.tail) for r in sentence.relations}
        gold += len(truth)
        found = candidates(sentence.text, [Spot(m.start, m.end, m.type) for m in mentions], weights, corpus.lexicon)
        for pair, row in zip(found.pairs, weights.probabilities(found.features), strict=True):
            chosen = int(row[1:].argmax()) + 1
            one, other = mentions[pair.one], mentions[pair.other]
            places = [ends.get((m.start, m.end), -1) for m in (one, other)]
            probability.append(confidence_of(float(row[chosen]), 1.0, calibration))
            sureness.append(one.confidence * other.confidence)
            kind, turned = CLASSES[chosen][:-1], CLASSES[chosen][-1] == "<"
            right.append(any((*places, kind, way) in truth for way in ((turned,) if kind not in SYMMETRIC else (0, 1))))
    return fit_power(np.array(probability), np.array(sureness), np.array(right), gold)


def fit_power(probability: np.ndarray, sureness: np.ndarray, right: np.ndarray, gold: int) -> float:
    """The power of `sureness` under which the product fits best (log loss), printed with what F1 it gives."""
    powers = np.arange(0.0, 2.05, 0.1)
    told = [np.clip(probability * sureness**power, 1e-4, 1 - 1e-4) for power in powers]
    losses = [-(np.log(sure[right]).sum() + np.log(1 - sure[~right]).sum()) for sure in told]
    best = int(np.argmin(losses))
    for least in (0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        said = told[best] >= least
        print(f"  dev, end to end, from {least}: F1 {2 * right[said].sum() / max(1, said.sum() + gold):.3f}")
    return float(powers[best])


def calibrate(probabilities: np.ndarray, labels: Sequence[str]) -> list[float]:
    """Intercept, weight of the probability's logit, weight of the mentions' log confidence."""
    best, right = _best(probabilities, labels)
    kept = probabilities[:, 0] < SKIP_FROM
    clipped = np.clip(best[kept], 1e-4, 1 - 1e-4)
    model = LogisticRegression(C=100.0).fit(np.log(clipped / (1 - clipped))[:, None], right[kept])
    return [float(model.intercept_[0]), float(model.coef_[0, 0]), 1.0]


def _best(probabilities: np.ndarray, labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Probability of the likeliest relation of each pair, and whether it is the right one."""
    chosen = probabilities[:, 1:].argmax(axis=1) + 1
    right = np.array([CLASSES[number] == label for number, label in zip(chosen, labels, strict=True)])
    return probabilities[np.arange(len(chosen)), chosen], right


def figures(probabilities: np.ndarray, labels: Sequence[str], calibration: Sequence[float]) -> str:
    """Precision, recall and F1 over pairs of given entities, by where a relation begins to count."""
    best, right = _best(probabilities, labels)
    clipped = np.clip(best, 1e-4, 1 - 1e-4)
    sure = 1 / (1 + np.exp(-calibration[0] - calibration[1] * np.log(clipped / (1 - clipped))))
    gold = sum(label != NONE for label in labels)
    lines = []
    for least in (0.3, 0.35, 0.4, 0.45, 0.5):
        said = sure >= least
        hits = int(right[said].sum())
        precision, recall, f1 = hits / max(1, said.sum()), hits / gold, 2 * hits / (said.sum() + gold)
        lines.append(f"  from {least}: P {precision:.3f} R {recall:.3f} F1 {f1:.3f}")
    return "\n".join(lines)


def write(corpus: Corpus, calibration: Sequence[float]) -> None:
    """Learn from all sentences and leave the weights where they are read."""
    weights = corpus.fit(range(len(corpus.sentences)))
    counts = Counter(example.label.rstrip("<>=") for made in corpus.gold for example in made)
    card = {
        "name": f"relations-{corpus.language}",
        "calibration": [round(number, 4) for number in calibration],
        "skip_from": SKIP_FROM,
        "trained_on": {"own": corpus.sources, "pairs": dict(sorted(counts.items())), "others": len(corpus.others)},
    }
    folder = FOLDER / f"relations-{corpus.language}"
    save_weights(folder, Weights(weights.classes, weights.vocabulary, weights.matrix, weights.bias, card))
    load_weights(folder)
    print(folder, (folder / "weights.npz").stat().st_size, "bytes,", len(weights.vocabulary), "features")


if __name__ == "__main__":
    main()
