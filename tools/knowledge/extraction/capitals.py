"""Names that English shows by capitals: every one of them, with `of`, `the` or `de` inside."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.knowledge.extraction.tokens import Token

CONNECTORS = frozenset(
    """
    of de la le del della di da do dos das du des van von der den ter zu af bin ibn al el y e &
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
"""Words without a capital that stand inside names; the ones that open no name and close none."""
_AFTER_OF = frozenset({"the"})
_STARTERS = frozenset(
    """
    a an the this that these those it its he she they we you i his her their our my your who whom whose which what when
    where why how and or but nor so yet if then than as at by for from in into of off on onto out over to under up with
    within without after before during since until while although though because however moreover furthermore thus hence
    therefore meanwhile also both each every either neither some any all many most few several such other another
    here there not is are was were be been has have had do does did can could will would shall should may might must
    please let according among between against about above across along around behind below beneath beside besides
    despite due except inside like near outside per regarding through throughout toward towards unlike upon via often
    usually sometimes never always still just more less much very too quite rather instead nevertheless nonetheless
    otherwise together whether whereas whenever wherever whoever whatever unless
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
"""Words that open no name, whatever follows."""
_WEAK = frozenset(
    """
    one two three four five six seven eight nine ten first second third last next no yes today yesterday tomorrow now
    later earlier soon once twice only even beyond everyone everybody someone nobody nothing something everything anyone
    anything given born founded based located directed written published starring produced featuring heavy good new old
    long short high low big small great early late young modern recent current former original local public private
    """.split()  # noqa: SIM905
)
"""Words that open a name only before another capital: `New York`, `Good People`."""
_TITLES = frozenset("mr mrs ms dr prof sir dame rev hon".split())  # noqa: SIM905
_GLUE = re.compile(r"[ \u00a0]?|\.[ \u00a0]|[-–'’./+]")
"""What may stand between the words of one name."""


def find_capitals(tokens: Sequence[Token], text: str, common: frozenset[str] = frozenset()) -> list[tuple[int, int]]:
    """Spans (start, end) of capitalised words with the connectors inside them, in order.

    `common` holds words (lower case) that say nothing when a sentence opens with them.
    """
    spans: list[tuple[int, int]] = []
    place = 0
    while place < len(tokens):
        if not _opens(tokens, place, text, common):
            place += 1
            continue
        last = _last_of(tokens, place, text)
        start = tokens[place].start
        spans.append((start, tokens[last].end))
        place = last + 1
    return spans


def _opens(tokens: Sequence[Token], place: int, text: str, common: frozenset[str]) -> bool:
    word = tokens[place].text
    lower = word.lower()
    if not _is_capital(word) or lower in _STARTERS or lower in _TITLES:
        return False
    if lower not in _WEAK and not (lower in common and _begins_sentence(tokens, place)):
        return True
    following = place + 1
    return following < len(tokens) and _is_capital(tokens[following].text) and _glued(tokens, place, text)


def _begins_sentence(tokens: Sequence[Token], place: int) -> bool:
    return place == 0 or tokens[place - 1].text in '.!?:;"“”‘(—-•*。'


def _last_of(tokens: Sequence[Token], first: int, text: str) -> int:
    last = first
    place = first
    while place + 1 < len(tokens) and _glued(tokens, place, text):
        place += 1
        word = tokens[place].text
        if _is_capital(word) or (word.isdigit() and place == last + 1 and len(word) < 4) or word == "'s":
            last = place if word not in ("'s", "’s") else last
        elif not _connects(tokens, place, last):
            break
    return last


def _connects(tokens: Sequence[Token], place: int, last: int) -> bool:
    """Whether a name that reaches to `last` may go on after the small word or mark at `place`."""
    word = tokens[place].text
    if word.lower() in CONNECTORS or (word in _AFTER_OF and tokens[place - 1].text == "of"):
        return True
    return word in (".", "-", "–") and place == last + 1 and _joins(tokens, place)


def _joins(tokens: Sequence[Token], place: int) -> bool:
    """A point after an initial or a title, a hyphen inside a name."""
    word = tokens[place - 1].text
    if tokens[place].text == ".":
        return len(word) == 1 or word in ("Jr", "Sr", "St", "Mt", "Ft")
    return place + 1 < len(tokens) and tokens[place].start == tokens[place - 1].end


def _glued(tokens: Sequence[Token], place: int, text: str) -> bool:
    between = text[tokens[place].end : tokens[place + 1].start]
    return len(between) <= 2 and _GLUE.fullmatch(between) is not None


def _is_capital(word: str) -> bool:
    first = word[0]
    return (
        first.isupper()
        or (first.isdigit() and not word[-1].isdigit() and any(sign.isupper() for sign in word))
        or (len(word) > 2 and word[1:2].isupper())
    )
