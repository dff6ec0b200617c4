"""What a text is about, as comparable terms: English stems, numbers and Chinese character pairs."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

import snowballstemmer

from tools.models.protocol import Language

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_TOKEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[a-z]+(?:['’][a-z]+)?|\d+(?:[.,]\d+)*")
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about above after again all also am an and any are as at be because been before being below between both but
        by can could did do does doing down during each few for from further get give given had has have having he her
        here hers him his how i if in into is it its itself just like let many may me might more most much must my name
        no nor not of off on once only or other our out over own please same say says shall she should show so some such
        tell than that the their them then there these they thing this those through to too under until up upon us use
        very want was we were what when where which while who whom whose why will with would you your
        """,
    )
)
FUNCTION_CHARACTERS = frozenset(
    "的了吗呢吧啊么是在有和与及或被把对于从到以为之其此该这那哪个些谁何什几多少怎样如会能可要请问都也又就还很"
)


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return _stemmer().stemWord(word)


def terms(text: str) -> list[str]:
    """Terms of `text` in order, repeats kept; function words are left out, Chinese pairs and characters never are."""
    found: list[str] = []
    for token in _TOKEN.findall(fold(text)):
        if token[0] >= "\u3400":
            found.extend(token)
            found.extend(token[i : i + 2] for i in range(len(token) - 1))
        elif token[0].isdigit():
            found.append(token.replace(",", ""))
        elif token not in _FUNCTION_WORDS:
            found.append(_stem(token.split("'")[0].split("’")[0]))
    return found


def language_of(text: str) -> Language:
    """`zh` where Han characters outweigh Latin words (one word counts as two characters), else `en`."""
    han = len(_HAN.findall(text))
    return "zh" if han and han >= 2 * len(_LATIN_WORD.findall(text)) else "en"


def is_word(term: str) -> bool:
    """Whether `term` means something by itself: all but single Chinese characters."""
    return len(term) > 1 or term.isascii()


def fold(text: str) -> str:
    """Lower case, compatible characters joined, accents off Latin letters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return folded
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
