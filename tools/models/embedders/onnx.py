"""The embedded English encoder: all-MiniLM-L6-v2 in int8 on onnxruntime, 23 MB, about 1.5 ms for a question.

The artefact and how it is built: docs/decisions/0002-embedding-artefact.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import InvalidInput
from tools.models.embedders.batching import BatchingThread
from tools.models.onnx_artefact import ArtefactCard, open_model, read_card
from tools.models.protocol import Vectors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MINILM = Path(__file__).parent.parent / "artefacts" / "all-MiniLM-L6-v2"
ONE_TEXT_PER_RUN = 1
"""Tokens per batch. int8 scales span a whole batch: alone, a text has the same vector whoever else asks, and a
batch would be no more than a tenth faster."""
CHARS_PER_TOKEN = 16
"""Characters looked at per token the encoder takes, so that a text of megabytes costs no more than a page."""
WHAT = "embedding model"


class EncoderCard(ArtefactCard):
    """The card of a sentence encoder."""

    dimension: int


class OnnxEncoder:
    """One onnxruntime session with its tokenizer, ids and mask in, one row for each text out."""

    batch_tokens = ONE_TEXT_PER_RUN

    def __init__(self, session: InferenceSession, tokenizer: Tokenizer, max_tokens: int) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._max_chars = max_tokens * CHARS_PER_TOKEN

    def tokenise(self, text: str) -> list[int]:
        """Word pieces between the two marks of the model."""
        try:
            return self._tokenizer.encode(text[: self._max_chars]).ids
        except (TypeError, UnicodeError):
            raise InvalidInput("A text to encode is not valid Unicode.") from None

    def encode(self, batch: Sequence[list[int]]) -> Vectors:
        """The graph's only output: a sentence encoder pools and normalises inside it."""
        lengths = np.array([len(tokens) for tokens in batch])
        mask = np.arange(lengths.max()) < lengths[:, np.newaxis]
        ids = np.zeros(mask.shape, dtype=np.int64)
        ids[mask] = np.concatenate(batch)
        (rows,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask.astype(np.int64)})
        return np.asarray(rows)


class OnnxEmbedder:
    """An `Embedder` over a folder with `model.int8.onnx`, `tokenizer.json` and `card.json`."""

    def __init__(self, folder: Path = MINILM, *, threads: int = 1) -> None:
        """Read the card; the model itself loads at the first use, in the thread that runs it.

        Raises:
            NotAvailable: `folder` has no readable card.
        """
        self._folder = folder
        self._threads = threads
        self._card = read_card(folder, EncoderCard, WHAT)
        self._batching = BatchingThread(self._load, self._card.dimension)

    @property
    def name(self) -> str:
        """The card's name."""
        return self._card.name

    @property
    def dimension(self) -> int:
        """The card's dimension."""
        return self._card.dimension

    @property
    def languages(self) -> frozenset[str]:
        """The card's languages."""
        return self._card.languages

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`; the first call loads the model (about 0.2 s) and may raise NotAvailable."""
        return await self._batching.embed(texts)

    async def close(self) -> None:
        """End the thread; calls that wait raise StoreUnavailable."""
        await self._batching.close()

    def _load(self) -> OnnxEncoder:
        session, tokenizer = open_model(self._folder, self._card, WHAT, self._threads)
        return OnnxEncoder(session, tokenizer, self._card.max_tokens)
