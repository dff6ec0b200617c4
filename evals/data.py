"""Reading public sets from a folder: jsonl, plain or gzipped, open half or closed half."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

HALVES = ("open", "held")


class MissingData(SystemExit):
    """The set is not in the data folder; the message says which file was wanted and where."""


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """All rows of `name` (`corpus`, `open`, …) in a set's folder.

    Raises:
        MissingData: there is no such file.
    """
    for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"):
        if path.exists():
            return list(_read(path))
    raise MissingData(f"{folder / name}.jsonl is not there. Name the folder of the public sets with --data.")


def questions_of(folder: Path, prefix: str = "") -> list[dict[str, Any]]:
    """The test questions in a set's folder, whichever half of them lies there.

    Raises:
        MissingData: neither half is there.
    """
    for half in HALVES:
        if any((folder / f"{prefix}{half}{ending}").exists() for ending in (".jsonl", ".jsonl.gz")):
            return rows(folder, f"{prefix}{half}")
    raise MissingData(f"{folder / prefix}open.jsonl is not there. Name the folder of the public sets with --data.")


def _read(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        for line in file:
            if line.strip():
                yield orjson.loads(line)
