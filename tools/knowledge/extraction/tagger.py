"""Finds entities in a passage with a small trained network; about a millisecond, numpy only."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.extraction.artefact import Artefact, load
from tools.knowledge.extraction.features import Sign, chinese_ids, english_ids, first_row
from tools.knowledge.extraction.tagset import spans_of_labels, viterbi
from tools.knowledge.extraction.tokens import Token, sentence_ranges

CACHED_WORDS = 20_000
"""Words whose vectors are kept: 5 MB."""
TOKENS_AT_ONCE = 2_000
"""Sentences go through the network together up to so many tokens."""
Floats = NDArray[np.float32]


class Tagged(NamedTuple):
    """Tokens `first` to before `last` are an entity of the type; `confidence` 0-1, calibrated."""

    first: int
    last: int
    type: str
    confidence: float


@dataclass(frozen=True)
class Calibration:
    """From what the network says of a span to how often it is right: `sigmoid(slope x + offset[type])`.

    x is the logit of the geometric mean of its tokens' probabilities.
    """

    slope: float
    offsets: Sequence[float]

    def __call__(self, logit: float, kind: int) -> float:
        """The probability that span and type are right."""
        return 1 / (1 + math.exp(-(self.slope * logit + self.offsets[kind])))


class Tagger:
    """One language's network. Threads may share it: what they write is a cache."""

    def __init__(self, artefact: Artefact) -> None:
        self._artefact = artefact
        self._types: list[str] = artefact.card["types"]
        calibration = artefact.card["calibration"]
        self._calibration = Calibration(calibration["slope"], calibration["offsets"])
        self._words = _Words(artefact)
        self._signs: dict[str, Sign] = {}
        self._english = artefact.layout.language == "en"

    def tag(self, tokens: list[Token], text: str) -> list[Tagged]:
        """The entities of a passage whose tokens these are, in order, without overlap."""
        found: list[Tagged] = []
        for group in _groups(sentence_ranges(tokens, text)):
            scores = self.scores([tokens[start:end] for start, end in group])
            found += self._spans(scores, group)
        return found

    def scores(self, sentences: Sequence[Sequence[Token]]) -> Floats:
        """Log probabilities (tokens, labels) of the sentences' tokens, one sentence after the other."""
        lengths = [len(sentence) for sentence in sentences]
        return self._artefact.network.scores(self._vectors(sentences, lengths), lengths)

    def _spans(self, scores: Floats, group: Sequence[tuple[int, int]]) -> list[Tagged]:
        """Only stretches of tokens that may be entities are labelled; they never cross sentences."""
        first = group[0][0]
        stretches = _stretches(scores[:, 0] < SURELY_NONE, [start - first for start, _ in group])
        found: list[Tagged] = []
        for (start, end), labels in zip(stretches, viterbi([scores[a:b] for a, b in stretches]), strict=True):
            chosen: list[float] = scores[np.arange(start, end), labels].tolist()
            for begin, until, kind in spans_of_labels(labels, self._types):
                sure = self._confidence(chosen[begin:until], kind)
                found.append(Tagged(first + start + begin, first + start + until, kind, sure))
        return found

    def _confidence(self, logs: Sequence[float], kind: str) -> float:
        return self._calibration(span_logit(logs), self._types.index(kind))

    def _vectors(self, sentences: Sequence[Sequence[Token]], lengths: Sequence[int]) -> Floats:
        artefact = self._artefact
        starts = np.cumsum([0, *lengths[:-1]])
        tokens = list(chain.from_iterable(sentences))
        if not self._english:
            if len(self._signs) >= CACHED_WORDS:
                self._signs.clear()
            ids = chinese_ids(tokens, artefact.layout, artefact.lexicon, starts, self._signs)
            return artefact.table[ids].sum(axis=1, dtype=np.int16) * np.float32(artefact.scale)
        vectors = self._words.vectors([token.text for token in tokens])
        vectors[starts] += artefact.table[first_row(artefact.layout)] * np.float32(artefact.scale)
        return vectors


class _Words:
    """The vectors of English words, the latest ones remembered as rows of one array."""

    def __init__(self, artefact: Artefact) -> None:
        self._artefact = artefact
        self._rows: dict[str, int] = {}
        self._vectors: Floats = np.zeros((0, 0), dtype=np.float32)
        self._remembering = threading.Lock()  # each word has a row of its own, whichever thread brings it

    def vectors(self, words: Sequence[str]) -> Floats:
        """The words' vectors (words, D), for the caller to change."""
        with self._remembering:
            if len(self._rows) + len(words) > len(self._vectors):
                self._start_anew(len(words))
            rows = self._rows
            for word in words:
                if word not in rows:
                    self._vectors[len(rows)] = self._vector(word)
                    rows[word] = len(rows)
            return self._vectors.take([rows[word] for word in words], axis=0)

    def _start_anew(self, room: int) -> None:
        self._rows = {}
        self._vectors = np.empty((max(CACHED_WORDS, room), self._artefact.table.shape[1]), dtype=np.float32)

    def _vector(self, word: str) -> Floats:
        rows = self._artefact.table[english_ids(word, self._artefact.layout)]
        return rows.sum(axis=0, dtype=np.int16) * np.float32(self._artefact.scale)


SURELY_NONE = -0.105
"""Log probability of `outside` from which a token is taken to be outside, whatever stands beside it."""


def _stretches(maybe: NDArray[np.bool_], starts: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of tokens for which `maybe` holds, cut where a sentence starts."""
    edges = np.flatnonzero(np.diff(maybe, prepend=False, append=False))
    found: list[tuple[int, int]] = []
    cuts = iter([*starts[1:], len(maybe)])
    cut = next(cuts)
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        while cut <= start:
            cut = next(cuts)
        while cut < end:
            found.append((start, cut))
            start, cut = cut, next(cuts)
        found.append((start, end))
    return found


def span_logit(logs: Sequence[float]) -> float:
    """The logit of the geometric mean of probabilities, given as logarithms."""
    mean = min(sum(logs) / len(logs), -1e-4)
    return mean - math.log1p(-math.exp(mean))


def open_tagger(folder: Path) -> Tagger:
    """The tagger in a folder. Raises NotAvailable when its files are not what their card says."""
    return Tagger(load(folder))


def _groups(ranges: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    groups: list[list[tuple[int, int]]] = []
    size = TOKENS_AT_ONCE
    for start, end in ranges:
        if size + end - start > TOKENS_AT_ONCE:
            groups.append([])
            size = 0
        groups[-1].append((start, end))
        size += end - start
    return groups
