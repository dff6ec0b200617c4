"""How an ONNX model that is shipped lies in a folder, and how it is opened: checked against its card, on one thread.

`model.int8.onnx` with its weights beside it in `model.int8.weights`, `tokenizer.json`, and `card.json`, which holds the
sha256 of each.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from tools.errors import NotAvailable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MODEL, WEIGHTS, TOKENIZER, CARD = "model.int8.onnx", "model.int8.weights", "tokenizer.json", "card.json"


class ArtefactFile(BaseModel):
    """What a file must be."""

    sha256: str


class ArtefactCard(BaseModel):
    """`card.json`, as far as every model has it."""

    name: str
    max_tokens: int
    languages: frozenset[str]
    files: dict[str, ArtefactFile]


Card = TypeVar("Card", bound=ArtefactCard)


def read_card(folder: Path, kind: type[Card], what: str) -> Card:
    """The card in `folder`; messages call the model `what`.

    Raises:
        NotAvailable: there is no readable card.
    """
    try:
        return kind.model_validate_json((folder / CARD).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotAvailable(f"The {what} has no readable {CARD} in {folder.name}.") from error


def open_model(folder: Path, card: ArtefactCard, what: str, threads: int = 1) -> tuple[InferenceSession, Tokenizer]:
    """The model and its tokenizer, which cuts at the card's limit; takes about 0.2 s the first time.

    Both are read once for a process: they keep no state, so that everybody can use the same.

    Raises:
        NotAvailable: a file is missing, a git-lfs pointer, or other bytes than the card says.
    """
    model, _, tokens = (_checked(folder / name, card, what) for name in (MODEL, WEIGHTS, TOKENIZER))
    return _opened(model, tokens, card.files[WEIGHTS].sha256, card.max_tokens, threads)


@lru_cache(maxsize=4)
def _opened(
    model: Path, tokens: Path, weights: str, max_tokens: int, threads: int
) -> tuple[InferenceSession, Tokenizer]:
    """By the hash of the weights too: a folder may hold others later."""
    # Imported in the thread that runs it: a tenth of a second the event loop need not wait for.
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokens))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads take the cores from everybody else; an arena keeps what the longest batch took.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]), tokenizer


def _checked(path: Path, card: ArtefactCard, what: str) -> Path:
    """The path of a file that is what the card says."""
    expected = card.files.get(path.name)
    try:
        with path.open("rb") as file:
            beginning = file.read(64)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotAvailable(f"The {what}'s {path.name} is missing or cannot be read.") from error
    if beginning.startswith(b"version https://git-lfs"):
        raise NotAvailable(f"The {what}'s {path.name} is a git-lfs pointer: run `git lfs pull`.")
    if expected is None or digest != expected.sha256:
        raise NotAvailable(f"The {what}'s {path.name} is broken: its bytes are not those of its card.")
    return path
