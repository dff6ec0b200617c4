"""When two spellings are one name: the normal form by which mentions meet."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CACHED_NAMES = 16_384
_LONGEST_NAME = 400
"""Characters read of a name; what is longer is no name, and equal beginnings are enough to tell it."""
_IN_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_INITIAL = re.compile(r"(?<![^\W_])([^\W\d_])\.(?=\s*[^\W\d_])")
_APOSTROPHES = re.compile(r"['’ʼ`´‘]")
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SPACE_BESIDE_HAN = re.compile(rf"(?<=[{_HAN}])\s+|\s+(?=[{_HAN}])")
_PLAIN = re.compile(r"[a-z0-9]+(?: [a-z0-9]+)*")
_KEPT_SIGNS = frozenset("+#&%$€£¥@")
"""Signs that tell names apart (`C`, `C++`, `C#`, `A&B`)."""
_LEADING_ARTICLE = "the "


def normal_form(text: str) -> str:
    """NFKC, casefold, accents, parentheses, punctuation and a leading article off, spaces single.

    `Theodred II (Bishop of Elmham)` gives `theodred ii`, `J. R. R. Tolkien` and `J.R.R. Tolkien` both
    `jrr tolkien`, `Beyoncé` `beyonce`. Never empty for a name that has a letter, a digit or an emoji.
    """
    return _normal_form(text[:_LONGEST_NAME])


@lru_cache(maxsize=_CACHED_NAMES)
def _normal_form(text: str) -> str:
    lowered = text.casefold()
    if _PLAIN.fullmatch(lowered):
        return _without_article(_join_initials(lowered)) if " " in lowered else lowered
    folded = _without_accents(unicodedata.normalize("NFKC", text).casefold())
    outside = folded
    while outside != (outside := _IN_PARENTHESES.sub(" ", outside)):
        pass
    for candidate in (outside, folded):
        if found := _words(candidate):
            return _without_article(found)
    return " ".join(folded.split())


def _without_accents(text: str) -> str:
    """Latin, Greek and Cyrillic accents off; the vowel signs of other scripts stay."""
    if text.isascii():
        return text
    parted = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(sign for sign in parted if not "\u0300" <= sign <= "\u036f"))


def _words(text: str) -> str:
    text = _APOSTROPHES.sub("", _INITIAL.sub(r"\1 ", text))
    kept = "".join(sign if _stays(sign) else "" if _is_unseen(sign) else " " for sign in text)
    joined = _SPACE_BESIDE_HAN.sub("", " ".join(kept.split()))
    return _join_initials(joined)


def _stays(sign: str) -> bool:
    return sign.isalnum() or sign in _KEPT_SIGNS or unicodedata.category(sign) in ("Mn", "Mc", "So", "Sk")


def _is_unseen(sign: str) -> bool:
    """Joiners, direction marks, controls: taken out without leaving a gap. The middle dot in `诺拉·奥孔库沃` too."""
    return sign in "·•‧・" or unicodedata.category(sign) in ("Cf", "Cs", "Me")


def _join_initials(text: str) -> str:
    """`j r r tolkien` gives `jrr tolkien`; a single letter stays as it is."""
    if " " not in text:
        return text
    words: list[str] = []
    run = 0
    for word in text.split():
        letter = len(word) == 1 and word.isalpha() and word < "\u0250"
        if letter and run:
            words[-1] += word
        else:
            words.append(word)
        run = run + 1 if letter else 0
    return " ".join(words)


def _without_article(text: str) -> str:
    return text.removeprefix(_LEADING_ARTICLE) or text
