"""A small convolutional network over characters, in numpy: some 0.1 ms for a message.

Kim's sentence classifier (2014, "Convolutional Neural Networks for Sentence Classification"): windows of one to three
characters, the strongest answer of each filter, one linear layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.models.text_classifier.ngrams import CHINESE

Floats = NDArray[np.float32]

WIDTHS = (1, 2, 3)
"""Characters that a window holds."""
MAX_CHARS = 200
"""Characters that are looked at, half of these at each end."""
UNKNOWN = 1
"""Row of characters that the network has not met; row 0 is beyond the ends of the text."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters that a network knows, sorted: (n,) code points; the first of them has the row 2."""

    codes: NDArray[np.uint32]

    def rows(self, text: str) -> NDArray[np.int64]:
        """Rows of the characters of `text`, as few as none: (length,)."""
        text = " ".join(CHINESE.normal_form(text).split())
        if len(text) > MAX_CHARS:
            text = text[: MAX_CHARS // 2] + text[-MAX_CHARS // 2 :]
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        if not len(self.codes):
            return np.full(len(codes), UNKNOWN, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[places] == codes, places + UNKNOWN + 1, UNKNOWN)


@dataclass(frozen=True, slots=True)
class CharacterNetwork:
    """Weights as they are stored and run.

    `table` (characters + 2, width) is int8, to be multiplied by `scale`; `filters` holds one matrix per window,
    (window * width, filters), and `bias` (windows * filters,); `out` (windows * filters, labels), `out_bias` (labels,).
    """

    table: NDArray[np.int8]
    scale: float
    filters: tuple[Floats, ...]
    bias: Floats
    out: Floats
    out_bias: Floats

    def scores(self, rows: NDArray[np.int64]) -> Floats:
        """Logits of the text whose characters have `rows`: (labels,); an empty one has those of the biases."""
        if not len(rows):
            return self.out_bias
        edged = np.zeros(len(rows) + 2, dtype=np.int64)
        edged[1:-1] = rows
        vectors = self.table[edged].astype(np.float32) * np.float32(self.scale)
        # Windows of two look back, those of three to both sides.
        before, here, after = vectors[:-2], vectors[1:-1], vectors[2:]
        windows = (here, np.hstack((before, here)), np.hstack((before, here, after)))
        strongest = [(window @ weights).max(axis=0) for window, weights in zip(windows, self.filters, strict=True)]
        return np.maximum(np.concatenate(strongest) + self.bias, 0) @ self.out + self.out_bias
