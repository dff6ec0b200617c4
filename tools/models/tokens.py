"""How many tokens a text is, roughly: for budgets and for usage that an upstream does not report."""

from __future__ import annotations

import math
import re

_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
LATIN_CHARS_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """One token per Han or kana character and per four other characters, rounded up."""
    han = len(_HAN.findall(text))
    return han + math.ceil((len(text) - han) / LATIN_CHARS_PER_TOKEN)
