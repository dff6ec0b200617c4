"""The English model: a fine-tuned sentence encoder in int8 on onnxruntime, 23 MB, about 1.2 ms for a message.

How it is trained and what it reaches: docs/decisions/0013-emotion.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.emotion.calibration import Calibration
from tools.emotion.labels import LABELS
from tools.emotion.protocol import Probabilities
from tools.models.embedders.batching import BatchingThread
from tools.models.embedders.onnx import OnnxEncoder
from tools.models.onnx_artefact import ArtefactCard, open_model, read_card

ENGLISH = Path(__file__).parent / "artefacts" / "en"
WHAT = "emotion model"


class EmotionCard(ArtefactCard):
    """The card of a model of emotion."""

    calibration: Calibration


class OnnxEmotions:
    """An `EmotionModel` over a folder with `model.int8.onnx`, `model.int8.weights`, `tokenizer.json`, `card.json`."""

    def __init__(self, folder: Path = ENGLISH, *, threads: int = 1) -> None:
        """Read the card; the model itself loads at the first use, in the thread that runs it.

        Raises:
            NotAvailable: `folder` has no readable card.
        """
        self._folder, self._threads = folder, threads
        self._card = read_card(folder, EmotionCard, WHAT)
        self._batching = BatchingThread(self._load, len(LABELS))

    @property
    def calibration(self) -> Calibration:
        """The card's."""
        return self._card.calibration

    async def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """See `EmotionModel`; the first call loads the model (about 0.2 s)."""
        logits = await self._batching.embed([readable(text) for text in texts])
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)

    async def close(self) -> None:
        """End the thread; calls that wait raise StoreUnavailable."""
        await self._batching.close()

    def _load(self) -> OnnxEncoder:
        session, tokenizer = open_model(self._folder, self._card, WHAT, self._threads)
        return OnnxEncoder(session, tokenizer, self._card.max_tokens)


def readable(text: str) -> str:
    """`text` without lone surrogates, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
