"""How trained weights lie in a folder: one npz without pickles, and a card that says what it is and how it hashes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.errors import NotAvailable

WEIGHTS, CARD = "weights.npz", "card.json"

Arrays = Mapping[str, NDArray[Any]]


def save_packed(folder: Path, arrays: Arrays, card: Mapping[str, Any]) -> None:
    """Write the arrays, and the card with their hash; equal arrays give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    content = packed.getvalue()
    (folder / WEIGHTS).write_bytes(content)
    files = {WEIGHTS: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}}
    text = json.dumps({**card, "files": files}, indent=2, ensure_ascii=False) + "\n"
    (folder / CARD).write_text(text, encoding="utf-8")


def load_packed(folder: Path, what: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and card, checked; `what` is what messages call it.

    Raises:
        NotAvailable: a file is missing, or is not the one that the card names.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        expected = card["files"][WEIGHTS]["sha256"]
        packed = (folder / WEIGHTS).read_bytes()
    except (OSError, ValueError, LookupError, TypeError):
        raise NotAvailable(f"The {what} in {folder.name!r} is not there or not readable.") from None
    if hashlib.sha256(packed).hexdigest() != expected:
        raise NotAvailable(f"The {what} in {folder.name!r} is not the one that was published.")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return dict(arrays), card


def packed_words(words: str) -> NDArray[np.uint8]:
    """Text as an array."""
    return np.frombuffer(words.encode(), dtype=np.uint8)


def unpacked_words(array: NDArray[Any]) -> str:
    """The text that `packed_words` was given."""
    return array.tobytes().decode()
