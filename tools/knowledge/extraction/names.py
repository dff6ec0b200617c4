"""When two spellings are one name: the normal form by which mentions meet."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CACHED_NAMES = 16_384
_LONGEST_NAME = 400
"""Characters read of a name; what is longer is no name, and equal beginnings are enough to tell it."""
_IN_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_APOSTROPHES = frozenset("'’ʼ`´‘")
HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Han characters and kana, for use within brackets of a regular expression: no gap stands beside one."""
_SPACE_BESIDE_HAN = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")
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
    kept = "".join(map(sign_in_names, text))
    return _SPACE_BESIDE_HAN.sub("", _join_initials(" ".join(kept.split())))


def sign_in_names(sign: str) -> str:
    """What a folded character is in a normal form: itself, a gap (" "), or nothing.

    Apostrophes, joiners, direction marks and controls leave no gap, nor does the middle dot of `诺拉·奥孔库沃`.
    """
    if sign in _APOSTROPHES:
        return ""
    if sign.isalnum() or sign in _KEPT_SIGNS:
        return sign
    category = unicodedata.category(sign)
    if category in ("Mn", "Mc", "So", "Sk"):
        return sign
    return "" if sign in "·•‧・" or category in ("Cf", "Cs", "Me") else " "


def _join_initials(text: str) -> str:
    """`j r r tolkien` gives `jrr tolkien`; a single letter stays as it is."""
    if " " not in text:
        return text
    words: list[str] = []
    run = 0
    for word in text.split():
        letter = is_initial(word)
        if letter and run:
            words[-1] += word
        else:
            words.append(word)
        run = run + 1 if letter else 0
    return " ".join(words)


def is_initial(word: str) -> bool:
    """Whether a word is one Latin letter, which is written together with the one before it."""
    return len(word) == 1 and word.isalpha() and word < "\u0250"


def _without_article(text: str) -> str:
    return text.removeprefix(_LEADING_ARTICLE) or text
