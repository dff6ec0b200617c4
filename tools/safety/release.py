"""The gate between a model's words and the user: whole words, whole citation markers, no marker that leads nowhere."""

from __future__ import annotations

import re
from collections.abc import Collection

_MARKER = re.compile(r"[ \t]*\[(\d{1,3})\]")
_OPEN_MARKER = re.compile(r"[ \t]*\[\d{0,3}$|[ \t]+$")
_PARTIAL_WORD = re.compile(r"[A-Za-z0-9\u00c0-\u024f'’_\-]+$")
MAX_HELD_CHARS = 64
"""A longer run without a break (a URL, a hash) is let go as it comes."""


class ReleaseGate:
    """Takes pieces as the model says them and gives back what may be shown.

    Held back: a word that may still grow, and an open citation marker. Dropped: a marker `[n]` whose
    number is not among `labels`, when there are labels at all. All that was released so far is `released`.
    """

    def __init__(self, labels: Collection[str]) -> None:
        """`labels` are the citations the answer may use; an empty collection leaves brackets alone."""
        self._labels = frozenset(labels)
        self._held = ""
        self._parts: list[str] = []

    @property
    def released(self) -> str:
        """The whole text let through."""
        return "".join(self._parts)

    def add(self, piece: str) -> str:
        """Take the next piece; gives the text that may be shown now, often the empty string."""
        self._held += piece
        return self._let_go(self._boundary())

    def finish(self) -> str:
        """The model has ended: gives what was held back."""
        return self._let_go(len(self._held))

    def _boundary(self) -> int:
        text = self._held
        if self._labels and (marker := _OPEN_MARKER.search(text)):
            return marker.start()
        word = _PARTIAL_WORD.search(text)
        if word is None or len(text) - word.start() > MAX_HELD_CHARS:
            return len(text)
        return word.start()

    def _let_go(self, end: int) -> str:
        text, self._held = self._held[:end], self._held[end:]
        if self._labels:
            text = _MARKER.sub(lambda found: found.group() if found.group(1) in self._labels else "", text)
        if text:
            self._parts.append(text)
        return text
