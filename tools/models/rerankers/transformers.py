"""A cross-encoder from a local folder, through transformers; needs the `ml` extra. Nothing is fetched from a hub."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.errors import NotAvailable, StoreUnavailable

MAX_TOKENS = 512
"""Tokens of question and text together; the end of a longer text is not read."""
CHARACTERS = 8_000
"""Characters of a text that are looked at, so that one of megabytes costs no more than a page."""
BATCH = 8
"""Pairs in one run."""


class TransformersReranker:
    """A `Reranker` over a sequence classifier with one output (or two, the second for `relevant`)."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Look at the folder; the model itself loads at the first use, in the thread that runs it.

        Raises:
            NotAvailable: the `ml` extra is not installed, or the folder holds no model.
        """
        if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
            raise NotAvailable("RERANKER_PATH needs the `ml` extra: pip install 'zhiyin[ml]'.")
        if not (folder / "config.json").is_file():
            raise NotAvailable("RERANKER_PATH is not the folder of a model: there is no config.json in it.")
        self._folder = folder
        self._threads = threads
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reranker")

    async def score(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """See `Reranker`; the first call loads the model (seconds)."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._score, question, list(texts))
        except RuntimeError as error:  # also what an executor says that was shut down
            raise StoreUnavailable("The reranker cannot serve right now.") from error

    async def close(self) -> None:
        """Let go of the thread; calls that wait end with StoreUnavailable."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _score(self, question: str, texts: list[str]) -> list[float]:
        import torch

        model, tokenizer = self._model
        scores: list[float] = []
        for at in range(0, len(texts), BATCH):
            batch = [text[:CHARACTERS] for text in texts[at : at + BATCH]]
            pairs = tokenizer(
                [question] * len(batch), batch, truncation="longest_first", max_length=self._limit, padding=True,
                return_tensors="pt",
            )  # fmt: skip
            with torch.inference_mode():
                logits = model(**pairs).logits.float()
            relevant = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
            scores += torch.sigmoid(relevant).tolist()
        return scores

    @property
    def _limit(self) -> int:
        return min(MAX_TOKENS, getattr(self._model[0].config, "max_position_embeddings", MAX_TOKENS) - 2)

    @cached_property
    def _model(self) -> tuple[Any, Any]:
        # Seconds and hundreds of megabytes: only who sets RERANKER_PATH pays them, and in this thread.
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        torch.set_num_threads(self._threads)
        try:
            tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
            load = AutoModelForSequenceClassification.from_pretrained
            return load(self._folder, local_files_only=True, dtype=torch.float32).eval(), tokenizer
        except (OSError, ValueError, KeyError) as error:
            raise NotAvailable("RERANKER_PATH does not hold a cross-encoder that transformers can load.") from error
