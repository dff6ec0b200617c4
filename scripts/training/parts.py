"""The lists that invented names are put together from."""

from __future__ import annotations

from pathlib import Path

import yaml


def read_parts(path: Path) -> dict[str, list[str]]:
    """Each list of the file by its name; one without any separator is read character by character."""
    with path.open(encoding="utf-8") as file:
        lists: dict[str, str] = yaml.safe_load(file)
    return {name: _items(text) for name, text in lists.items()}


def _items(text: str) -> list[str]:
    if "; " in text:
        return text.split("; ")
    words = text.split()
    return list("".join(words)) if all(len(word) > 20 for word in words) else words
