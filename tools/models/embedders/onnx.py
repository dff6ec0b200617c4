"""The embedded English encoder: all-MiniLM-L6-v2 in int8 on onnxruntime, 23 MB, about 1.5 ms for a question.

The artefact and how it is built: docs/decisions/0002-embedding-artefact.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ValidationError

from tools.errors import InvalidInput, NotAvailable
from tools.models.embedders.batching import BatchingThread
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


class ArtefactFile(BaseModel):
    """What a file must be."""

    sha256: str


class ArtefactCard(BaseModel):
    """`card.json`, as far as the encoder reads it."""

    name: str
    dimension: int
    max_tokens: int
    languages: frozenset[str]
    files: dict[str, ArtefactFile]


class OnnxEncoder:
    """One onnxruntime session with its tokenizer; single-threaded, and quiet when it has nothing to do."""

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
            raise InvalidInput("A text to embed is not valid Unicode.") from None

    def encode(self, batch: Sequence[list[int]]) -> Vectors:
        """Pooled and normalised inside the graph."""
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
        self._card = _read_card(folder)
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
        # Imported in the thread that runs it: a tenth of a second the event loop need not wait for.
        import onnxruntime
        from tokenizers import Tokenizer

        model = _checked(self._folder / "model.int8.onnx", self._card)
        _checked(self._folder / "model.int8.weights", self._card)
        tokenizer = Tokenizer.from_file(str(_checked(self._folder / "tokenizer.json", self._card)))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._card.max_tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Spinning threads take the cores from everybody else; an arena keeps what the longest batch took.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return OnnxEncoder(session, tokenizer, self._card.max_tokens)


def _read_card(folder: Path) -> ArtefactCard:
    try:
        return ArtefactCard.model_validate_json((folder / "card.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise NotAvailable(f"The embedding model has no readable card.json in {folder.name}.") from error


def _checked(path: Path, card: ArtefactCard) -> Path:
    """The path of a file that is what the card says.

    Raises:
        NotAvailable: it is missing, a git-lfs pointer, or other bytes.
    """
    expected = card.files[path.name]
    try:
        with path.open("rb") as file:
            beginning = file.read(64)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotAvailable(f"The embedding model's {path.name} is missing or cannot be read.") from error
    if beginning.startswith(b"version https://git-lfs"):
        raise NotAvailable(f"The embedding model's {path.name} is a git-lfs pointer: run `git lfs pull`.")
    if digest != expected.sha256:
        raise NotAvailable(f"The embedding model's {path.name} is broken: its bytes are not those of its card.")
    return path
