"""Spans as labels of tokens (begin, inside, outside) and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.extraction.protocol import ENTITY_TYPES
from tools.knowledge.extraction.tokens import Token

OUTSIDE = 0
LABELS: tuple[str, ...] = ("O", *(f"{mark}-{kind}" for kind in ENTITY_TYPES for mark in "BI"))
"""`O`, then begin and inside of each type: label 1 + 2t begins type t, 2 + 2t goes on with it."""
_IMPOSSIBLE = -1e4
Floats = NDArray[np.float32]


class _Entity(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def type(self) -> str: ...


class _Labelled(Protocol):
    @property
    def entities(self) -> Sequence[_Entity]: ...


def labels_of(sentence: _Labelled, tokens: Sequence[Token], types: Sequence[str] = ENTITY_TYPES) -> list[int]:
    """The label of each token; an entity whose edges are inside tokens takes the tokens it touches."""
    labels = [OUTSIDE] * len(tokens)
    for entity in sentence.entities:
        inside = False
        for place, token in enumerate(tokens):
            if token.end > entity.start and token.start < entity.end:
                labels[place] = 1 + 2 * types.index(entity.type) + inside
                inside = True
    return labels


def spans_of(log_probabilities: Floats, types: Sequence[str] = ENTITY_TYPES) -> list[tuple[int, int, str]]:
    """The best allowed labelling of one sentence, (tokens, labels), as (first, one past last, type)."""
    return spans_of_labels(viterbi([log_probabilities])[0], types)


def spans_of_labels(labels: Sequence[int], types: Sequence[str] = ENTITY_TYPES) -> list[tuple[int, int, str]]:
    """Labels as (first, one past last, type), in order."""
    spans: list[tuple[int, int, str]] = []
    start = None
    for place, label in enumerate([*labels, OUTSIDE]):
        if start is not None and (label == OUTSIDE or label % 2):
            spans.append((start, place, types[(labels[start] - 1) // 2]))
            start = None
        if label % 2:
            start = place
    return spans


def viterbi(sentences: Sequence[Floats]) -> list[list[int]]:
    """The best allowed labels of each sentence (tokens, labels), all sentences step by step together.

    Outside and begin may follow anything, so their best predecessor is the best of all; inside follows
    only begin and inside of its type.
    """
    if not sentences:
        return []
    lengths = [len(scores) for scores in sentences]
    labels = sentences[0].shape[1]
    padded = np.zeros((max(lengths), len(sentences), labels), dtype=np.float32)
    for row, scores in enumerate(sentences):
        padded[: len(scores), row] = scores
    padded[0, :, 2::2] += _IMPOSSIBLE
    back = np.zeros(padded.shape, dtype=np.int64)
    begins = np.arange(1, labels, 2)
    best = np.empty((len(sentences), labels), dtype=np.float32)
    for place in range(1, len(padded)):
        before = padded[place - 1]
        best[:] = before.max(axis=1, keepdims=True)
        back[place] = before.argmax(axis=1)[:, np.newaxis]
        best[:, 2::2] = np.maximum(before[:, 1::2], before[:, 2::2])
        back[place, :, 2::2] = begins + (before[:, 2::2] > before[:, 1::2])
        padded[place] += best
    return [_path(padded, back, row, length) for row, length in enumerate(lengths)]


def _path(totals: Floats, back: NDArray[np.int64], row: int, length: int) -> list[int]:
    """The best labels of one sentence, read from its end."""
    if not length:
        return []
    label = int(totals[length - 1, row].argmax())
    path = [label]
    for place in range(length - 1, 0, -1):
        label = int(back[place, row, label])
        path.append(label)
    return path[::-1]
