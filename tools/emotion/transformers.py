"""A model of emotion from a local folder, through transformers; needs the `ml` extra. Nothing is fetched from a hub."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tools.emotion.calibration import Calibration
from tools.emotion.encoder import readable
from tools.emotion.labels import LABELS
from tools.emotion.protocol import Probabilities
from tools.errors import NotAvailable
from tools.models.embedders.batching import BatchingThread
from tools.models.protocol import Vectors

MAX_TOKENS = 256
RESERVED_POSITIONS = 2
"""RoBERTa and its kin count positions from here, so that many fewer tokens fit than positions exist."""
CHARS_PER_TOKEN = 16
"""Characters looked at per token, so that a text of megabytes costs no more than a page."""
BATCH_TOKENS = 1024
"""Padded tokens per run."""
PLAIN = Calibration(thresholds=(0.3,) * len(LABELS), confidence=(1.0, 0.0, 0.0))
"""Thresholds near those that models of GoEmotions are published with; the confidence is the model's own."""


class TransformersEmotions:
    """An `EmotionModel` over the folder of a sequence classifier whose labels are those of GoEmotions."""

    calibration = PLAIN

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Read the labels; the model itself loads at the first use, in the thread that runs it.

        Raises:
            NotAvailable: the `ml` extra is not installed, or the folder's model has other labels.
        """
        if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
            raise NotAvailable("EMOTION_PATH needs the `ml` extra: pip install 'zhiyin[ml]'.")
        self._folder, self._threads = folder, threads
        self._places = _places(folder)
        self._batching = BatchingThread(self._load, len(LABELS))

    async def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """See `EmotionModel`; the first call loads the model (seconds)."""
        logits = await self._batching.embed([readable(text) for text in texts])
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)

    async def close(self) -> None:
        """End the thread; calls that wait raise StoreUnavailable."""
        await self._batching.close()

    def _load(self) -> _Classifier:
        # Seconds and hundreds of megabytes: only who sets EMOTION_PATH pays them, and in this thread.
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils import logging

        import tools.models.mean_pooled_bert  # noqa: F401 - our own folders hold it

        logging.disable_progress_bar()
        torch.set_num_threads(self._threads)
        tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        model = AutoModelForSequenceClassification.from_pretrained(
            self._folder, local_files_only=True, dtype=torch.float32
        ).eval()
        return _Classifier(model, tokenizer, self._places)


class _Classifier:
    """A torch model with its tokenizer, for one thread; its rows are logits in the order of `LABELS`."""

    batch_tokens = BATCH_TOKENS

    def __init__(self, model: Any, tokenizer: Any, places: Sequence[int]) -> None:
        self._model, self._tokenizer, self._places = model, tokenizer, list(places)
        self._pad = int(model.config.pad_token_id or 0)
        positions = getattr(model.config, "max_position_embeddings", MAX_TOKENS + RESERVED_POSITIONS)
        self._limit = min(MAX_TOKENS, positions - RESERVED_POSITIONS)

    def tokenise(self, text: str) -> list[int]:
        """Ids with the model's own special tokens."""
        found = self._tokenizer(text[: self._limit * CHARS_PER_TOKEN], truncation=True, max_length=self._limit)
        return found["input_ids"] or [self._pad]

    def encode(self, batch: Sequence[list[int]]) -> Vectors:
        """One forward pass."""
        import torch

        lengths = torch.tensor([len(tokens) for tokens in batch])
        mask = torch.arange(int(lengths.max())) < lengths[:, None]
        ids = torch.full(mask.shape, self._pad)
        ids[mask] = torch.tensor([token for tokens in batch for token in tokens])
        with torch.inference_mode():
            logits = self._model(input_ids=ids, attention_mask=mask.long()).logits
        return logits[:, self._places].float().numpy()


def _places(folder: Path) -> list[int]:
    """Where the model in `folder` has each of `LABELS`."""
    try:
        named = json.loads((folder / "config.json").read_bytes())["id2label"]
        found = {str(label).lower(): int(place) for place, label in named.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise NotAvailable("EMOTION_PATH holds no config.json of a classifier with named labels.") from None
    if missing := set(LABELS) - found.keys():
        raise NotAvailable(f"The model in EMOTION_PATH does not know these labels: {', '.join(sorted(missing))}.")
    return [found[label] for label in LABELS]
