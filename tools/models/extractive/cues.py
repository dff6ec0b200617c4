"""Signs in a sentence that it gives a person, a date, a number, a reason: what the question asks for."""

from __future__ import annotations

import re

from tools.models.extractive.questions import Kind

_CUES: dict[Kind, re.Pattern[str]] = {
    "number": re.compile(
        r"\d|百分之|[一二两三四五六七八九十百千万亿半]+[个位名次种条座所家人部场倍岁元层本章项米里公吨斤年天月日%％]"
        r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty"
        r"|hundred|thousand|million|billion|half|once|twice|dozen|free|none)\b",
        re.IGNORECASE,
    ),
    "time": re.compile(
        r"\d{1,4}\s*[年月日]|世纪|年代|时期|朝|星期|周[一二三四五六日]|[春夏秋冬]"
        r"|\b1\d{3}\b|\b20\d{2}\b|\d{1,2}[:：]\d{2}|\b\d{1,2}\s?(?:am|pm)\b"
        r"|\b(?:january|february|march|april|may|june|july|august|september|october|november|december"
        r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|spring|summer|autumn|winter|century|noon|midnight"
        r"|(?:dai|week|month|year)ly|annually|days?|weeks?|months?|every (?:day|week|month|year))\b",
        re.IGNORECASE,
    ),
    "person": re.compile(
        r"·|由|先生|女士|教授|将军|总统|[一-龥]者"
        r"|(?<![.!?]\s)(?<!^)\b[A-Z][a-z]+ (?:[A-Z]\. )?[A-Z][a-z]+|\b(?:Mr|Mrs|Ms|Dr)\."
    ),
    "place": re.compile(
        r"位于|地处|坐落|[省市县区州国岛镇村路街]"
        r"|\b(?:located|lies|stands|situated)\b|\b(?:in|at|near|on|from|to) (?:the )?[A-Z]"
    ),
    "reason": re.compile(
        r"因为|因此|由于|所以|因而|导致|为了|使得|以致|缘"
        r"|\b(?:because|due to|since|so that|in order to|therefore|thus|as a result|caused? by|owing to|reason"
        r"|to (?:avoid|prevent|keep|reduce|protect|save))\b",
        re.IGNORECASE,
    ),
    "manner": re.compile(
        r"通过|透过|利用|使用|采用|借|先.*再|\b(?:by \w+ing|using|through|via|with|first|then|press|click|open)\b",
        re.IGNORECASE,
    ),
}
_LOSSES: dict[Kind, float] = {"number": 0.3, "time": 0.3, "person": 0.1, "place": 0.1, "reason": 0.1, "manner": 0.1}
"""Share of its score that a sentence loses without the sign; more cost right answers on CMRC 2018 trial."""


def cue_share(sentence: str, kinds: frozenset[Kind]) -> float:
    """What remains (0-1) of the score of `sentence`: all of it when it shows a sign of each of `kinds`."""
    share = 1.0
    for kind in kinds:
        if not _CUES[kind].search(sentence):
            share *= 1 - _LOSSES[kind]
    return share
