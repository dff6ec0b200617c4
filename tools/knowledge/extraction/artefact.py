"""What a tagger is made of, and how it lies in its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.extraction.features import Layout
from tools.knowledge.extraction.lexicon import Lexicon
from tools.knowledge.extraction.network import WINDOWS, Network
from tools.models.packed import load_packed, packed_words, save_packed, unpacked_words

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
    hashes = artefact.lexicon.hashes
    steps = np.diff(hashes, prepend=np.uint64(0))
    arrays: dict[str, NDArray[Any]] = {
        "table": artefact.table,
        "vocabulary": packed_words("\n".join(artefact.layout.vocabulary)),
        "lexicon_steps": steps.astype(np.uint32),
        "lexicon_kinds": artefact.lexicon.kinds,
    }
    if (steps > _LOW).any():
        raise ValueError("Two neighbouring hashes of the lexicon are too far apart.")
    for place, (weight, bias) in enumerate(zip(artefact.network.weights, artefact.network.biases, strict=True)):
        arrays[f"weight{place}"] = weight.astype(np.float16)
        arrays[f"bias{place}"] = bias.astype(np.float32)
    card = {**artefact.card, "language": artefact.layout.language, "scale": artefact.scale}
    save_packed(folder, arrays, card)


def load(folder: Path) -> Artefact:
    """Read and check the files of a tagger.

    Raises:
        NotAvailable: a file is missing, or is not the one that the card names.
    """
    arrays, card = load_packed(folder, "tagger")
    words = unpacked_words(arrays["vocabulary"]).split("\n")
    layout = Layout(card["language"], {word: row for row, word in enumerate(words, 1)})
    lexicon = Lexicon(np.cumsum(arrays["lexicon_steps"], dtype=np.uint64), arrays["lexicon_kinds"])
    places = range(len(WINDOWS) + 1)
    network = Network(
        [arrays[f"weight{place}"].astype(np.float32) for place in places],
        [arrays[f"bias{place}"] for place in places],
    )
    return Artefact(layout, lexicon, arrays["table"], card["scale"], network, card)
