"""A tagger's files: one npz of small integers, and a card that says what it is and how its bytes hash."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.errors import NotAvailable
from tools.knowledge.extraction.features import Layout
from tools.knowledge.extraction.lexicon import Lexicon
from tools.knowledge.extraction.network import WINDOWS, Network

FOLDER = Path(__file__).parent / "artefacts"
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True)
class Artefact:
    """What a tagger is made of. `table` (rows, D) int8 times `scale`; `card` holds types and calibration."""

    layout: Layout
    lexicon: Lexicon
    table: NDArray[np.int8]
    scale: float
    network: Network
    card: dict[str, Any]


def save(folder: Path, artefact: Artefact) -> None:
    """Write `weights.npz` and `card.json`; the same artefact gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    hashes = artefact.lexicon.hashes
    steps = np.diff(hashes, prepend=np.uint64(0))
    arrays: dict[str, NDArray[Any]] = {
        "table": artefact.table,
        "vocabulary": np.frombuffer("\n".join(artefact.layout.vocabulary).encode(), dtype=np.uint8),
        "lexicon_steps": steps.astype(np.uint32),
        "lexicon_kinds": artefact.lexicon.kinds,
    }
    if (steps > _LOW).any():
        raise ValueError("Two neighbouring hashes of the lexicon are too far apart.")
    for place, (weight, bias) in enumerate(zip(artefact.network.weights, artefact.network.biases, strict=True)):
        arrays[f"weight{place}"] = weight.astype(np.float16)
        arrays[f"bias{place}"] = bias.astype(np.float32)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    (folder / "weights.npz").write_bytes(packed.getvalue())
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    card = {**artefact.card, "language": artefact.layout.language, "scale": artefact.scale}
    card["files"] = {"weights.npz": {"sha256": digest, "bytes": len(packed.getvalue())}}
    (folder / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(folder: Path) -> Artefact:
    """Read and check the files of a tagger.

    Raises:
        NotAvailable: a file is missing, or is not the one that the card names.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        packed = (folder / "weights.npz").read_bytes()
    except (OSError, ValueError):
        raise NotAvailable(f"The tagger in {folder.name!r} is not there or not readable.") from None
    if hashlib.sha256(packed).hexdigest() != card["files"]["weights.npz"]["sha256"]:
        raise NotAvailable(f"The tagger in {folder.name!r} is not the one that was published.")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        words = arrays["vocabulary"].tobytes().decode().split("\n")
        layout = Layout(card["language"], {word: row for row, word in enumerate(words, 1)})
        lexicon = Lexicon(np.cumsum(arrays["lexicon_steps"], dtype=np.uint64), arrays["lexicon_kinds"])
        places = range(len(WINDOWS) + 1)
        network = Network(
            [arrays[f"weight{place}"].astype(np.float32) for place in places],
            [arrays[f"bias{place}"] for place in places],
        )
        return Artefact(layout, lexicon, arrays["table"], card["scale"], network, card)
