"""What a paraphrase may not change: the numbers and names in a sentence, as far as its writing shows them."""

from __future__ import annotations

import re
from collections.abc import Collection

from tools.knowledge.terms import STOP_WORDS, terms

_DIGITS = re.compile(r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s?([万亿])?")
_NUMERAL = re.compile("[零〇一二两三四五六七八九十百千万亿]+")
_COUNTED = frozenset("个年月日号位名人次种座条家所层岁米天倍点级届章集部台辆架项首")
"""Characters that show a numeral before them to be one, and no part of a word."""
_WORDS_OF_NUMERALS = frozenset({"万一", "千万", "一一"})
_VALUES = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1_000}
_SCALES = {"万": 10_000, "亿": 100_000_000}
_NUMBER_WORDS = {
    **{word: n for n, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2)},  # noqa: SIM905
    **{word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)},  # noqa: SIM905
}
_NUMBER_STEMS = {terms(word, "en")[0]: float(value) for word, value in _NUMBER_WORDS.items()}

_LATIN_WORD = re.compile(r"[a-zA-Z\u00c0-\u024f]{2,}(?:['’][a-zA-Z\u00c0-\u024f]+)*")
_OPENERS = frozenset(
    """
    according additionally after all also although among approximately based because before besides both consequently
    during each either especially even every finally first following furthermore generally given hence however indeed
    instead last later likewise many meanwhile moreover most much nevertheless next notably now often once only
    originally other otherwise overall previously rather second several similarly since some sometimes specifically
    still such therefore third though thus today together under unlike until usually various while within without yes
    yet
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
"""Words that open a sentence with a capital and name nothing."""

_OPENERS_ZH = re.compile(
    "^(?:此外|因此|另外|同时|首先|其次|最后|总之|综上所述|根据|据|目前|其中|例如|比如|所以|但是|不过|然而|而且|并且|虽然|如果|通过|按照"
    "|简而言之|换句话说|总的来说|具体来说|也就是说|由于|因为|对于|关于|随着|为了|在|这|该|它|他|她|其)+[，,：:]?"
)
_SUBJECT_ZH = re.compile("[\u4e00-\u9fff]{2}")
_TITLE_ZH = re.compile("《([^》]{1,40})》")
_DOTTED_ZH = re.compile("[\u4e00-\u9fff]+(?:[·・][\u4e00-\u9fff]+)+")
_SURNAMED_ZH = re.compile(
    "[王李张刘陈杨赵吴徐孙马朱胡郭林罗郑梁谢宋唐韩冯邓曹彭萧田董袁潘蒋蔡杜叶苏魏吕丁沈姚卢姜崔谭汪廖贾夏韦邹孟熊秦邱尹薛闫侯陶黎贺毛郝龚邵][\u4e00-\u9fff]"
)
_PLACE_ZH = re.compile(
    "北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃"
    "|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|广州|深圳|杭州|南京|苏州|武汉|成都|西安|长沙|青岛|大连|厦门|宁波|郑州|沈阳"
    "|济南|合肥|福州|昆明|哈尔滨|中国|美国|英国|法国|德国|日本|韩国|朝鲜|印度|俄罗斯|苏联|意大利|西班牙|葡萄牙|荷兰|比利时|瑞士|瑞典"
    "|挪威|丹麦|芬兰|波兰|奥地利|希腊|土耳其|加拿大|墨西哥|巴西|阿根廷|澳大利亚|新西兰|新加坡|马来西亚|泰国|越南|菲律宾|埃及|南非"
    "|伦敦|巴黎|柏林|东京|首尔|纽约|华盛顿|莫斯科|罗马"
)


def numbers(text: str, *, every: bool = False) -> frozenset[float]:
    """The values written in digits and Chinese numerals.

    Numerals that may be part of a word (`一起`, `十分`, `三国`) count only with `every`.
    """
    found = {float(digits.replace(",", "")) * _SCALES.get(scale, 1) for digits, scale in _DIGITS.findall(text)}
    if not text.isascii():
        for numeral in _NUMERAL.finditer(text):
            if every or _is_counted(numeral.group(), text[numeral.end() : numeral.end() + 1]):
                found.add(_value(numeral.group()))
    return frozenset(found)


def numbers_in_words(stems: Collection[str]) -> frozenset[float]:
    """The values among English terms: `two` to `twelve` and the tens up to `ninety`."""
    return frozenset(_NUMBER_STEMS[stem] for stem in _NUMBER_STEMS.keys() & stems)


def names(text: str, language: str) -> frozenset[str]:
    """What must be found wherever the sentence is said to come from: terms, or Han characters in a row.

    English: every word of two letters or more with a capital, the first one too unless it is known to name
    nothing. Chinese has no capitals; taken are Latin words, titles in 《》, dotted foreign names, well-known
    places, the characters of what may be a person's name, and those of the subject that opens the sentence.
    """
    return _names_zh(text) if language == "zh" else _names_en(text)


def _names_en(text: str) -> frozenset[str]:
    found: set[str] = set()
    for place, word in enumerate(_LATIN_WORD.findall(text)):
        plain = word.lower()
        if plain == word or plain in STOP_WORDS or plain in _NUMBER_WORDS or (place == 0 and plain in _OPENERS):
            continue
        found.update(terms(word, "en"))
    return frozenset(found)


def _names_zh(text: str) -> frozenset[str]:
    found = {term for word in _LATIN_WORD.findall(text) for term in terms(word, "zh")}
    for title in _TITLE_ZH.findall(text):
        found.update([title.lower()] if title > "\u3000" else terms(title, "zh"))
    for name in _DOTTED_ZH.findall(text):
        found.update(re.split("[·・]", name))
    found.update(_PLACE_ZH.findall(text))
    for name in _SURNAMED_ZH.findall(text):
        found.update(name)
    if subject := _SUBJECT_ZH.match(_OPENERS_ZH.sub("", text)):
        found.update(subject.group())
    return frozenset(found)


def _is_counted(numeral: str, following: str) -> bool:
    if len(numeral) > 1:
        return numeral not in _WORDS_OF_NUMERALS and not _VALUES.keys().isdisjoint(numeral)
    return numeral in "二两三四五六七八九十" and following in _COUNTED


def _value(numeral: str) -> float:
    """The value of a Chinese numeral, in positions (`二〇二四`) or in units (`三百二十万`)."""
    if _VALUES.keys() >= set(numeral):
        return float("".join(str(_VALUES[character]) for character in numeral))
    total = section = digit = 0
    for character in numeral:
        if character in _VALUES:
            digit = _VALUES[character]
        elif character in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[character], 0
        else:
            total, section, digit = total + (section + digit or 1) * _SCALES[character], 0, 0
    return float(total + section + digit)
