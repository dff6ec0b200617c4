"""Other names that a passage itself declares: `World Health Organization (WHO)`, `又称`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tools.knowledge.extraction.names import normal_form
from tools.knowledge.extraction.protocol import Alias, Mention, Subject

EXTRACTOR = "declared"
_CAPITAL = r"[A-Z\u00c0-\u00de]"
_WORD = r"[^\s,;:()“”\"。，；]"
_NAME = (
    rf"[“\"'‘]?(?P<name>{_CAPITAL}{_WORD}*"
    rf"(?: (?:(?:of|the|de|la|von|van|and|for|y|al)\s)?[A-Z\u00c0-\u00de\d]{_WORD}*){{0,6}})"
    r"(?=[\s”\"']*(?:[,.;:()\[]|$|\s(?:is|was|are|were|and|or|in|on|at|has|had|who|which|by|from)\b))"
)
_KNOWN = (
    r"(?i:also|better|more commonly|commonly|formerly|previously|originally|sometimes|widely|best|professionally"
    r"|otherwise)"
    r"\s+(?:known|called|named|referred to|titled|spelled|written)(?:\s+(?:as|by))?"
)
_CALLED = (
    r"(?:a\.?k\.?a\.?|née|né|nicknamed|abbreviated(?:\s+(?:as|to))?|short\s+for|known\s+simply\s+as"
    r"|born(?:\s+as)?|real\s+name|birth\s+name)"
)
_ENGLISH = re.compile(rf"(?:\b{_KNOWN}|\b{_CALLED}|\((?:born|or|formerly))\s+(?:simply\s+|the\s+|as\s+)?{_NAME}")
_SHORT = re.compile(r"\s?[(（]\s?[“\"'‘]?(?P<name>[A-Z][A-Za-z&.\-]{1,9})[”\"'’]?\s?[)）,;，；]")
_STOP = r"，。、；：,;.()（）“”\"'「」《》\s"
_CHINESE = re.compile(
    r"(?:以下)?(?:简称|又称|又名|也称|也叫|亦称|亦作|别称|别名|俗称|原名|本名|旧称|古称|全称|全名|缩写|英文名|英文|英语|代号|人称|外号|绰号|昵称)"
    rf"(?:为|作|是|叫|名)?[：:\s]*[“\"「《]?(?P<name>[A-Za-z][A-Za-z .&\-]{{0,40}}[A-Za-z]|[^{_STOP}]{{2,14}})"
)
_BETWEEN = re.compile(
    r"[\s,，(（《》”\"'’]*(?:which is |who is |is |was |were |are |or |或|以下)?"
    r"[\s(（]*(?:[^()（）。.]{0,24}[;；,，]\s?)?$"
)
_REACH = 60
"""Characters between the name and the phrase that declares another."""
_NO_NAME = frozenset(
    """
    in on at to the a an january february march april may june july august september october november december
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)


def find_aliases(text: str, mentions: Sequence[Mention], subject: Subject | None, language: str) -> list[Alias]:
    """The names the text declares, each pair once, in the order of the text."""
    pattern = _CHINESE if language == "zh" else _ENGLISH
    found = [_declared(match, text, mentions, subject) for match in pattern.finditer(text)]
    found += [_short(match, text, mentions) for match in _SHORT.finditer(text)]
    return list(dict.fromkeys(alias for alias in found if alias))


def _declared(match: re.Match[str], text: str, mentions: Sequence[Mention], subject: Subject | None) -> Alias | None:
    name = match["name"].rstrip(".'’”")
    if name.split()[0].lower() in _NO_NAME:
        return None
    before = [m for m in mentions if 0 <= match.start() - m.end <= _REACH and m.type != "time"]
    for mention in reversed(before):
        if _BETWEEN.fullmatch(text, mention.end, match.start()):
            return _alias(name, mention.norm)
    return _alias(name, subject.norm) if subject and _opens(text, match.start()) else None


def _opens(text: str, place: int) -> bool:
    """Whether `place` is in the first sentence, which speaks of the subject."""
    return not re.search(r"[。！？!?]|[a-z]{3}\.\s", text[:place])


def _short(match: re.Match[str], text: str, mentions: Sequence[Mention]) -> Alias | None:
    """`World Health Organization (WHO)`: the letters stand in the long name, in order."""
    short = match["name"]
    if sum(sign.isupper() for sign in short) < 2:
        return None
    for mention in _ending_at(mentions, match.start()):
        if mention.type != "time" and (_abbreviates(short, mention.text) or not mention.text.isascii()):
            return _alias(short, mention.norm)
    return None


def _ending_at(mentions: Iterable[Mention], place: int) -> list[Mention]:
    return [mention for mention in mentions if mention.end == place]


def _abbreviates(short: str, long: str) -> bool:
    words = [word for word in re.split(r"[\s\-]+", long) if word]
    letters = iter("".join(word[0] for word in words if word[0].isalnum()).lower())
    wanted = [sign.lower() for sign in short if sign.isalnum()]
    initials = sum(sign in letters for sign in wanted)
    return len(words) > 1 and initials >= max(2, len(wanted) - 1)


def _alias(name: str, of: str) -> Alias | None:
    alias = normal_form(name)
    return Alias(alias, of, EXTRACTOR) if alias and alias != of and not alias.isdigit() else None
