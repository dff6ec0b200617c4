"""Tell English from Chinese by script: fast, and right on mixed text."""

from __future__ import annotations

import re
from typing import Literal

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")


def detect_language(text: str) -> Literal["en", "zh"]:
    """`zh` when Han characters outweigh Latin words (one word counts as two characters), else `en`."""
    sample = text[:4000]
    han = len(_HAN.findall(sample))
    return "zh" if han and han >= 2 * len(_LATIN_WORD.findall(sample)) else "en"
