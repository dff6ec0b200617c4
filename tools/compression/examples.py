"""Labelled texts from a folder of `train`, `dev` and `open` (or `held`) files, one JSON object a line, or gzipped."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.errors import InvalidInput

UNNAMED = re.compile(r"LABEL_\d+")
"""What transformers calls the labels of a model that was given no names."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts, and 0 or 1 for each of the model's labels: `targets` is (len(texts), labels) in float32."""

    texts: list[str]
    targets: NDArray[np.float32]

    def first(self, number: int | None) -> Examples:
        """The first so many; all of them for None."""
        return Examples(self.texts[:number], self.targets[:number])


class DataFolder:
    """The files of one set, read for a model that knows `labels`."""

    def __init__(self, folder: Path, labels: Sequence[str], *, text_field: str, label_field: str) -> None:
        """Check what does not need the rows.

        Raises:
            InvalidInput: no such folder, or its `labels.jsonl` does not fit a model whose labels have no names.
        """
        if not folder.is_dir():
            raise InvalidInput(f"{folder} is not a folder of data.")
        self._folder, self._text, self._label = folder, text_field, label_field
        self.labels = self._named(tuple(labels))
        self._places = {label: place for place, label in enumerate(self.labels)}

    def read(self, part: str) -> Examples:
        """The rows of `part`. A row's label is a name, a number, or a list of either.

        Raises:
            InvalidInput: the file is missing, empty or unreadable, or a row lacks a field or has an unknown label.
        """
        texts, targets = list[str](), list[NDArray[np.float32]]()
        for where, row in self._rows(part):
            if not isinstance(row.get(self._text), str):
                raise InvalidInput(f"{where} has no text in {self._text!r}; name the field with --text-field.")
            if self._label not in row:
                raise InvalidInput(f"{where} has no {self._label!r}; name the field with --label-field.")
            texts.append(row[self._text])
            targets.append(self._target(row[self._label], where))
        if not texts:
            raise InvalidInput(f"There are no examples in {part} of {self._folder}.")
        return Examples(texts, np.stack(targets))

    def _target(self, value: Any, where: str) -> NDArray[np.float32]:
        target = np.zeros(len(self.labels), dtype=np.float32)
        for label in value if isinstance(value, list) else [value]:
            place = self._places.get(label) if isinstance(label, str) else label
            if not isinstance(place, int) or not 0 <= place < len(self.labels):
                raise InvalidInput(f"{where} has the label {label!r}, which the model does not know.")
            target[place] = 1.0
        return target

    def _named(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The model's names for its labels; those of the set where the model has none."""
        if not all(UNNAMED.fullmatch(label) for label in labels) or self._path("labels") is None:
            return labels
        named = tuple(str(row.get("label")) for _, row in self._rows("labels"))
        if len(named) != len(labels):
            raise InvalidInput(f"The set has {len(named)} labels, the model {len(labels)}.")
        return named

    def _path(self, part: str) -> Path | None:
        paths = (self._folder / f"{part}.jsonl", self._folder / f"{part}.jsonl.gz")
        return next((path for path in paths if path.is_file()), None)

    def _rows(self, part: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each row with its place, for messages; those never hold the text itself."""
        path = self._path(part)
        if path is None:
            raise InvalidInput(f"{self._folder / part}.jsonl is not there, gzipped or not.")
        opener = gzip.open if path.suffix == ".gz" else open
        try:
            with opener(path, "rb") as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        row = json.loads(line)
                        if not isinstance(row, dict):
                            raise ValueError("not an object")
                        yield f"Line {number} of {path.name}", row
        except (OSError, EOFError, ValueError):
            raise InvalidInput(f"{path} is not a file of one JSON object a line.") from None


def is_multi_label(stated: bool | None, examples: Examples) -> bool:
    """Whether several labels, or none, may hold: as the config states, else as the examples show.

    Raises:
        InvalidInput: the config states that one label holds, and an example has another number of them.
    """
    one_each = bool((examples.targets.sum(axis=1) == 1).all())
    if stated is False and not one_each:
        raise InvalidInput("The model chooses one label, but examples have none or several.")
    return not one_each if stated is None else stated
