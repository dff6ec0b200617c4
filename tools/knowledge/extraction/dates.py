"""Dates, years and clock times as English and Chinese write them: `time` mentions that need no learning."""

from __future__ import annotations

import re

_MONTH = (
    "(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
)
_YEAR = r"(?:1\d{3}|20\d\d)"
_ENGLISH = re.compile(
    rf"""\b(?:
        \d{{1,2}}(?:st|nd|rd|th)?\ (?:of\ )?{_MONTH}(?:,?\ {_YEAR})?\b     # 14 November 2019
      | {_MONTH}\ \d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\ {_YEAR})?(?!\d)        # November 14, 2019
      | {_MONTH}(?:,|\ of)?\ {_YEAR}\b                                     # March 2021
      | \d{{4}}-\d\d-\d\d(?!\d)                                            # 2021-03-04
      | Q[1-4]\ {_YEAR}\b
      | (?:(?:early|mid|late)[\ -])?(?:1\d|20)\d0s\b                     # late 1990s
      | \d{{1,2}}(?:st|nd|rd|th)\ century(?:\ (?:BC|AD|BCE|CE))?\b
      | (?:[01]?\d|2[0-3]):[0-5]\d(?:\ ?[ap]\.?m\b\.?)?
      | \d{{1,2}}\ ?[ap]\.?m\b\.?
      | {_YEAR}(?![\d,.%]*\d|[%°])\b                                       # 1987
    )""",
    re.VERBOSE,
)
_NUMBERS = "[〇零一二三四五六七八九十百千\\d]"
_CHINESE = re.compile(
    rf"""(?:公元前?|西元前?)?(?:\d{{2,4}}|[〇零一二三四五六七八九]{{4}})年(?:代|初|底|末|春|夏|秋|冬|(?:上|下)半年|第[一二三四]季度)?
         (?:{_NUMBERS}{{1,3}}月(?:份|初|底|末|上旬|中旬|下旬)?(?:{_NUMBERS}{{1,3}}[日号])?)?
       | {_NUMBERS}{{1,3}}月(?:份|初|底|末)?{_NUMBERS}{{1,3}}[日号]
       | {_NUMBERS}{{1,2}}月(?:份|初|底|末)
       | \d{{1,2}}世纪(?:\d0年代|初|末)?
       | (?:上午|下午|凌晨|晚上|晚|早上)?\d{{1,2}}[:：点时]\d{{2}}分?
       | \d{{4}}-\d\d-\d\d(?!\d)""",
    re.VERBOSE,
)
_NOT_A_YEAR = re.compile(r"\s*(?:people|inhabitants|metres|meters|feet|km|miles|kg|units|words|men|students|copies)\b")


def find_dates(text: str, language: str) -> list[tuple[int, int]]:
    """Where dates stand, as (start, end) in order; durations (`five years`) are none."""
    pattern = _CHINESE if language == "zh" else _ENGLISH
    found: list[tuple[int, int]] = []
    for match in pattern.finditer(text):
        counts_something = language != "zh" and match.group().isdigit() and _NOT_A_YEAR.match(text, match.end())
        if not counts_something:
            found.append(match.span())
    return found
