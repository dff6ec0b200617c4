"""A Chinese tagger trained on a public set's own sentences with the code that trains ours; needs the `ml` extra."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tools.knowledge.extraction.artefact import FOLDER, Artefact, load
from tools.knowledge.extraction.features import chinese_ids
from tools.knowledge.extraction.network import Network
from tools.knowledge.extraction.student import Example, Recipe, Student, smoothed, train_student
from tools.knowledge.extraction.tagger import Tagger
from tools.knowledge.extraction.tagset import labels_of
from tools.knowledge.extraction.tokens import tokenise

RECIPE = Recipe(width=64, hidden=128, epochs=6, batch=32, drop=0.35, drop_rows=0.25)
DEV_SHARE = 20
"""One sentence in so many is watched while training."""

Tag = Callable[[str], list[tuple[int, int, str, float]]]


@dataclass(frozen=True, slots=True)
class _Entity:
    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    entities: Sequence[_Entity]


def train_on(rows: Sequence[dict[str, Any]], recipe: Recipe = RECIPE) -> Tag:
    """A function that tags a text with the types of `rows` (`text`, `entities` with `start`, `end`, `type`).

    Lexicon and first vectors are those of the shipped Chinese tagger, labels and layers begin from nothing.
    """
    torch.set_num_threads(1)
    sentences = [_sentence(row) for row in rows]
    types = sorted({entity.type for sentence in sentences for entity in sentence.entities})
    train = [sentence for sentence in sentences if not _for_dev(sentence.text)]
    dev = [sentence for sentence in sentences if _for_dev(sentence.text)]
    ours = load(FOLDER / "tagger-zh")
    layout, lexicon = ours.layout, ours.lexicon
    first = torch.from_numpy(ours.table.astype(np.float32) * np.float32(ours.scale))
    labels = 1 + 2 * len(types)

    def example(sentence: _Sentence) -> Example:
        tokens = tokenise(sentence.text, "zh")
        return chinese_ids(tokens, layout, lexicon), smoothed(labels_of(sentence, tokens, types), labels)

    examples = [example(sentence) for sentence in train]

    def tagger_of(student: Student) -> Tagger:
        layers = [*student.layers, student.out]
        weights = [layer.weight.detach().numpy().T.copy() for layer in layers]
        table = student.table.weight.detach().numpy()
        scale = float(np.quantile(np.abs(table[table != 0]), 0.9995)) / 127
        small = np.clip(np.round(table / scale), -127, 127).astype(np.int8)
        card = {"types": types, "calibration": {"slope": 1.0, "offsets": [0.0] * len(types)}}
        network = Network(weights, [layer.bias.detach().numpy() for layer in layers])
        return Tagger(Artefact(layout, lexicon, small, scale, network, card))

    def measure(student: Student) -> float:
        tag = _tagging(tagger_of(student))
        pairs = [({span[:3] for span in tag(s.text)}, {(e.start, e.end, e.type) for e in s.entities}) for s in dev]
        return 2 * sum(len(a & b) for a, b in pairs) / max(1, sum(len(a) + len(b) for a, b in pairs))

    student = train_student(Student(layout.rows, labels, recipe, first), lambda epoch: examples, measure)
    return _tagging(tagger_of(student))


def _sentence(row: dict[str, Any]) -> _Sentence:
    return _Sentence(row["text"], [_Entity(e["start"], e["end"], e["type"]) for e in row["entities"]])


def _for_dev(text: str) -> bool:
    return hashlib.sha256(text.encode()).digest()[0] % DEV_SHARE == 0


def _tagging(tagger: Tagger) -> Tag:
    def tag(text: str) -> list[tuple[int, int, str, float]]:
        tokens = tokenise(text, "zh")
        return [
            (tokens[found.first].start, tokens[found.last - 1].end, found.type, found.confidence)
            for found in tagger.tag(tokens, text)
        ]

    return tag
