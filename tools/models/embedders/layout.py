"""What a folder says of the sentence encoder in it, read without loading it (sentence-transformers layout)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tools.errors import NotAvailable

Pooling = Literal["mean", "cls"]

MAX_TOKENS = 512
"""The most tokens of a text that are read: passages are shorter, and attention grows with the square."""
RESERVED_POSITIONS = 2
"""RoBERTa and its kin count positions from here, so that many fewer tokens fit than positions exist."""
FINGERPRINT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class EncoderLayout:
    """Where the transformer lies, how its tokens become one vector, and how many it takes.

    `name` holds the folder's name and a fingerprint of its files: vectors of another model in a folder
    of the same name are never taken for its own.
    """

    name: str
    transformer: Path
    pooling: Pooling
    dimension: int
    max_tokens: int


def read_layout(folder: Path) -> EncoderLayout:
    """Read `modules.json` and what it points to; a bare transformer is taken for a mean-pooled one.

    Raises:
        NotAvailable: the folder holds no encoder, or one with parts we do not run.
    """
    if not folder.is_dir():
        raise NotAvailable("EMBEDDER_PATH is not a folder.")
    parts = {_kind(part): folder / part.get("path", "") for part in _modules(folder)}
    if strange := parts.keys() - {"Transformer", "Pooling", "Normalize"}:
        raise NotAvailable(f"The encoder in EMBEDDER_PATH has parts we do not run: {', '.join(sorted(strange))}.")
    transformer = parts.get("Transformer", folder)
    config = _json(transformer / "config.json")
    if not isinstance(config, dict) or not isinstance(config.get("hidden_size"), int):
        raise NotAvailable("EMBEDDER_PATH holds no config.json of an encoder.")
    return EncoderLayout(
        name=f"{folder.resolve().name}-{_fingerprint(transformer)}",
        transformer=transformer,
        pooling=_pooling(parts["Pooling"]) if "Pooling" in parts else "mean",
        dimension=config["hidden_size"],
        max_tokens=_max_tokens(transformer, config),
    )


def _modules(folder: Path) -> list[dict[str, Any]]:
    modules = _json(folder / "modules.json")
    return modules if isinstance(modules, list) else []


def _kind(part: dict[str, Any]) -> str:
    return str(part.get("type", "")).rpartition(".")[2]


def _pooling(folder: Path) -> Pooling:
    config = _json(folder / "config.json")
    options: dict[str, Any] = config if isinstance(config, dict) else {}
    modes = {key.removeprefix("pooling_mode_"): on for key, on in options.items() if key.startswith("pooling_mode_")}
    chosen = {mode for mode, on in modes.items() if on} | set(filter(None, [options.get("pooling_mode")]))
    if chosen <= {"mean_tokens", "mean"}:
        return "mean"
    if chosen <= {"cls_token", "cls"}:
        return "cls"
    raise NotAvailable(f"The encoder in EMBEDDER_PATH pools in a way we do not run: {', '.join(sorted(chosen))}.")


def _max_tokens(transformer: Path, config: dict[str, Any]) -> int:
    limits = _json(transformer / "sentence_bert_config.json")
    stated = limits.get("max_seq_length") if isinstance(limits, dict) else None
    positions = config.get("max_position_embeddings", MAX_TOKENS + RESERVED_POSITIONS) - RESERVED_POSITIONS
    return min(MAX_TOKENS, positions, stated or MAX_TOKENS)


def _fingerprint(transformer: Path) -> str:
    """Eight hex digits over the config, and the size and end of each weights file (all of it would take seconds)."""
    digest = hashlib.sha256((transformer / "config.json").read_bytes())
    for path in sorted([*transformer.glob("*.safetensors"), *transformer.glob("pytorch_model*.bin")]):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as weights:
            weights.seek(max(0, size - FINGERPRINT_BYTES))
            digest.update(weights.read())
    return digest.hexdigest()[:8]


def _json(path: Path) -> Any:
    """The file's JSON; None when it is absent or unreadable."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
