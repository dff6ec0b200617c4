"""Any sentence encoder from a local folder, through transformers; needs the `ml` extra.

BGE-M3 is the one we document: Chinese and English, `cls` pooling, its dense vectors only. Nothing is
ever fetched from a model hub.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput, NotAvailable
from tools.models.embedders.batching import BatchingThread
from tools.models.embedders.layout import EncoderLayout, read_layout
from tools.models.protocol import Language, Vectors

if TYPE_CHECKING:
    import torch

BATCH_TOKENS = 1024
"""Padded tokens per run."""
CHARS_PER_TOKEN = 16
"""Characters looked at per token the encoder takes, so that a text of megabytes costs no more than a page."""


class TransformersEncoder:
    """A torch model with its tokenizer, for one thread."""

    batch_tokens = BATCH_TOKENS

    def __init__(self, model: Any, tokenizer: Any, layout: EncoderLayout) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._layout = layout
        self._pad = model.config.pad_token_id or 0

    def tokenise(self, text: str) -> list[int]:
        """Ids with the model's own special tokens."""
        limit = self._layout.max_tokens
        try:
            tokens = self._tokenizer(text[: limit * CHARS_PER_TOKEN], truncation=True, max_length=limit)["input_ids"]
            return tokens or [self._pad]
        except (TypeError, UnicodeError):
            raise InvalidInput("A text to embed is not valid Unicode.") from None

    def encode(self, batch: Sequence[list[int]]) -> Vectors:
        """One forward pass, pooled and normalised."""
        import torch

        lengths = torch.tensor([len(tokens) for tokens in batch])
        mask = torch.arange(int(lengths.max())) < lengths[:, None]
        ids = torch.full(mask.shape, self._pad)
        ids[mask] = torch.tensor([token for tokens in batch for token in tokens])
        with torch.inference_mode():
            hidden = self._model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            return torch.nn.functional.normalize(self._pool(hidden, mask), dim=1).float().numpy()

    def _pool(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        if self._layout.pooling == "cls":
            return hidden[:, 0]
        weights = mask[:, :, None].to(hidden.dtype)
        return (hidden * weights).sum(1) / weights.sum(1)


class TransformersEmbedder:
    """An `Embedder` over a folder in the sentence-transformers layout."""

    def __init__(self, folder: Path, *, languages: Iterable[Language] = ("en", "zh"), threads: int = 1) -> None:
        """Read the layout; the model itself loads at the first use, in the thread that runs it.

        Raises:
            NotAvailable: the `ml` extra is not installed, or the folder is not that of an encoder we can run.
        """
        if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
            raise NotAvailable("EMBEDDER_PATH needs the `ml` extra: pip install 'zhiyin[ml]'.")
        self._layout = read_layout(folder)
        self._languages = frozenset[str](languages)
        self._threads = threads
        self._batching = BatchingThread(self._load, self._layout.dimension)

    @property
    def name(self) -> str:
        """The folder's name with a fingerprint of the model."""
        return self._layout.name

    @property
    def dimension(self) -> int:
        """The model's hidden size."""
        return self._layout.dimension

    @property
    def languages(self) -> frozenset[str]:
        """What the operator said it knows."""
        return self._languages

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`; the first call loads the model (seconds) and may raise NotAvailable."""
        return await self._batching.embed(texts)

    async def close(self) -> None:
        """End the thread; calls that wait raise StoreUnavailable."""
        await self._batching.close()

    def _load(self) -> TransformersEncoder:
        # Seconds and hundreds of megabytes: only who sets EMBEDDER_PATH pays them, and in this thread.
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        # More threads than asked for would spin on cores that the server needs.
        torch.set_num_threads(self._threads)
        folder = self._layout.transformer
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
        return TransformersEncoder(model, tokenizer, self._layout)
