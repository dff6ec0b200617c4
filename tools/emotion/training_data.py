"""The labelled sets that emotion is learnt from, as they lie in a data folder (`SET/train.jsonl.gz`, …)."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from tools.emotion.labels import LABELS
from tools.errors import NotFound


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts with the labels each carries: `targets` is (len(texts), 28)."""

    texts: tuple[str, ...]
    targets: NDArray[np.bool_]


def goemotions(folder: Path, part: str) -> Labelled:
    """Part `part` of GoEmotions in the data folder."""
    found = rows(folder / "goemotions", part)
    targets = np.array([[label in row["labels"] for label in LABELS] for row in found])
    return Labelled(tuple(row["text"] for row in found), targets)


def rows(folder: Path, part: str) -> list[dict[str, Any]]:
    """The rows of `part` in a set's folder, plain or gzipped.

    Raises:
        NotFound: there is no such file.
    """
    plain, zipped = folder / f"{part}.jsonl", folder / f"{part}.jsonl.gz"
    if plain.exists():
        return _read(plain.read_bytes().splitlines())
    if zipped.exists():
        return _read(gzip.decompress(zipped.read_bytes()).splitlines())
    raise NotFound(f"{folder.name}/{plain.name} is not in the data folder.")


def _read(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in lines if line.strip()]
