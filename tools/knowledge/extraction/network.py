"""The taggers' network as numpy runs it: sums of table rows, three layers that look at neighbours, labels.

D is the width of a token's vector, H of the layers, L the number of labels. Sentences lie one after the
other in one array with `GAP` zero rows between them, so that a passage is a handful of matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
GAP = 2
"""Rows of nothing between sentences: as far as any layer looks."""
WINDOWS: tuple[tuple[int, ...], ...] = ((-2, -1, 0, 1, 2), (-1, 0, 1), (-2, 0, 2))
"""The neighbours that each layer sees."""


SMALL = 262_144
"""Multiplications up to which OpenBLAS stays in its caller's thread; waking others costs more than they give here."""


@dataclass(frozen=True)
class Network:
    """`weights[k]` (neighbours of layer k times its input's width, H), the last one (H, L); `biases` to match."""

    weights: Sequence[Floats]
    biases: Sequence[Floats]

    def scores(self, vectors: Floats, lengths: Sequence[int]) -> Floats:
        """Log probabilities (tokens, L) of sentences of these lengths, one after the other; `vectors` (tokens, D)."""
        rows = _rows_with_gaps(lengths)
        block = self._block()
        hidden = self._hidden(vectors, rows, block)
        logits = (np.matmul(hidden.reshape(-1, block, hidden.shape[1]), self.weights[-1])).reshape(len(hidden), -1)[
            rows
        ]
        logits += self.biases[-1]
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def _hidden(self, vectors: Floats, rows: NDArray[np.int64], block: int) -> Floats:
        """The last layer, (rows with gaps, H), their number a multiple of `block`."""
        size = -(-(int(rows[-1]) + 1) // block) * block
        inside = np.zeros((size, 1), dtype=np.float32)
        inside[rows] = 1
        hidden = np.zeros((size, vectors.shape[1]), dtype=np.float32)
        hidden[rows] = vectors
        for layer, (window, bias) in enumerate(zip(WINDOWS, self.biases, strict=False)):
            found = _convolved(hidden, window, self.weights[layer], block)
            found += bias
            np.maximum(found, 0, out=found)
            if layer:
                found += hidden
            found *= inside
            hidden = found
        return hidden

    def _block(self) -> int:
        """Rows of a matrix product that stays small, for every layer."""
        widths = [len(weight) // len(window) for weight, window in zip(self.weights, WINDOWS, strict=False)]
        return max(1, SMALL // max(width * self.weights[0].shape[1] for width in widths))


def _convolved(hidden: Floats, window: Sequence[int], weight: Floats, block: int) -> Floats:
    """Each row's neighbours times their part of the weight, (rows, H): many small products, no copies of rows."""
    size, width = hidden.shape
    padded = np.zeros((size + 2 * GAP, width), dtype=np.float32)
    padded[GAP : GAP + size] = hidden
    total = np.zeros((size // block, block, weight.shape[1]), dtype=np.float32)
    for place, shift in enumerate(window):
        part = padded[GAP + shift : GAP + shift + size].reshape(-1, block, width)
        total += np.matmul(part, weight[place * width : (place + 1) * width])
    return total.reshape(size, -1)


def _rows_with_gaps(lengths: Sequence[int]) -> NDArray[np.int64]:
    """Where the tokens of the sentences lie, one behind the other with gaps."""
    shifts = np.repeat(np.arange(len(lengths)) * GAP, lengths)
    return np.arange(len(shifts)) + shifts
