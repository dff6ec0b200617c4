"""A conversation too long to be told again is told in short: what was asked, and how the answer began."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.models.tokens import estimate_tokens
from tools.stores.protocol import Message

SUMMARY_TOKENS = 400
LINE_CHARS = 160
_FIRST_SENTENCE = re.compile(r".+?(?:[.!?](?=\s)|[。！？])", re.DOTALL)
_MARKER = re.compile(r"\s*\[\d{1,3}\]")


def fold(summary: str, messages: Sequence[Message]) -> str:
    """`summary` with `messages` added as one line each, oldest lines dropped past 400 tokens."""
    lines = [line for line in summary.split("\n") if line]
    lines += [f"{message.role}: {_gist(message.content)}" for message in messages if message.content.strip()]
    while len(lines) > 1 and estimate_tokens("\n".join(lines)) > SUMMARY_TOKENS:
        del lines[0]
    return "\n".join(lines)


def within_budget(messages: Sequence[Message], budget_tokens: int) -> Sequence[Message]:
    """The longest tail of `messages` that fits; never cut inside a message, so it may be empty."""
    left, start = budget_tokens, len(messages)
    while start and (cost := estimate_tokens(messages[start - 1].content)) <= left:
        left, start = left - cost, start - 1
    return messages[start:]


def _gist(text: str) -> str:
    plain = " ".join(_MARKER.sub("", text).split())
    found = _FIRST_SENTENCE.match(plain + " ")
    sentence = found.group().strip() if found else plain
    return sentence if len(sentence) <= LINE_CHARS else sentence[: LINE_CHARS - 1] + "…"
