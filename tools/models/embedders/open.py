"""Pick the encoder that the settings name."""

from __future__ import annotations

from tools.models.embedders.onnx import OnnxEmbedder
from tools.models.embedders.settings import EmbedderSettings
from tools.models.embedders.transformers import TransformersEmbedder
from tools.models.protocol import Embedder


def open_embedder(settings: EmbedderSettings) -> Embedder:
    """An embedder whose model loads at its first use; close it when done.

    Raises:
        NotAvailable: the folder is not that of an encoder we can run.
    """
    match settings.embedder_backend, settings.embedder_path:
        case ("auto" | "onnx", None):
            return OnnxEmbedder(threads=settings.embedder_threads)
        case ("auto" | "transformers", path) if path is not None:
            return TransformersEmbedder(path, languages=settings.embedder_languages, threads=settings.embedder_threads)
    raise ValueError("EmbedderSettings lets no other combination through")  # pragma: no cover
