"""Open the cross-encoder that the settings name."""

from __future__ import annotations

from tools.models.protocol import Reranker
from tools.models.rerankers.settings import RerankerSettings
from tools.models.rerankers.transformers import TransformersReranker


def open_reranker(settings: RerankerSettings) -> Reranker | None:
    """A cross-encoder whose model loads at its first use, None where none is named; close it when done.

    Raises:
        NotAvailable: the `ml` extra is not installed, or the folder holds no model.
    """
    if settings.reranker_path is None:
        return None
    return TransformersReranker(settings.reranker_path, threads=settings.reranker_threads)
