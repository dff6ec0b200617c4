"""The message as it is looked up: one text for intent and documents, so that the encoder runs once for both."""

from __future__ import annotations

MAX_QUERY_CHARS = 2_000
"""Of a longer message both ends are looked up: what it asks stands before or after what was pasted into it."""


def query_of(question: str) -> str:
    """`question`, or its two ends on a line each."""
    if len(question) <= MAX_QUERY_CHARS:
        return question
    half = MAX_QUERY_CHARS // 2
    return f"{question[:half]}\n{question[1 - half :]}"
