"""Invented Chinese names and terms by type, put together from their usual parts: for swapped copies only."""

from __future__ import annotations

import random
from pathlib import Path

from training.parts import read_parts

from tools.knowledge.extraction.protocol import EntityType

TERMS = Path(__file__).parent / "terms_zh.txt"
PARTS = read_parts(Path(__file__).parent / "parts_zh.yaml")
_NUMERALS = "一二三四五六七八九十"


def terms() -> dict[EntityType, list[str]]:
    """The lists of `terms_zh.txt`."""
    found: dict[EntityType, list[str]] = {}
    for line in TERMS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, _, words = line.partition(":")
            found[kind] = list(dict.fromkeys([*found.get(kind, []), *words.split()]))  # type: ignore[index, arg-type]
    return found


def invent(kind: EntityType, rng: random.Random) -> str:
    """A name of the type that nobody has heard of."""
    pick = rng.choice
    match kind:
        case "person":
            return _person(rng)
        case "organization":
            return _organization(rng)
        case "location":
            name = pick(PARTS["place_parts"]) + pick(PARTS["place_parts"]) + pick(PARTS["place_ends"])
            return name if rng.random() < 0.7 else _transliterated(rng)
        case "event":
            head = pick([f"{rng.randint(1600, 2025)}年", "首届", f"第{rng.randint(2, 60)}届", "", "", "国际", "全国"])
            middle = pick(
                [
                    pick(PARTS["place_parts"]) + pick(PARTS["place_parts"]),
                    pick(PARTS["brands"]),
                    _transliterated(rng),
                    "青年",
                    "数字经济",
                    "人工智能",
                    "新能源",
                ]
            )
            return head + middle + pick(PARTS["event_ends"])
        case "time":
            return _time(rng)
        case "product":
            return _product(rng)
        case "concept":
            return pick(PARTS["concept_heads"]) + pick(PARTS["concept_ends"])
        case "process":
            return pick(PARTS["process_heads"]) + pick(PARTS["process_ends"])
        case "metric":
            return (
                pick(["", "", "", "平均", "单位", "年", "月度", "人均"])
                + pick(PARTS["metric_heads"])
                + pick(PARTS["metric_ends"])
            )
        case "work":
            if rng.random() < 0.35:
                return pick(PARTS["law_heads"]) + pick(PARTS["law_ends"])
            return "".join(pick(PARTS["title_parts"]) for _ in range(rng.randint(2, 5)))


def _person(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return "·".join(_transliterated(rng) for _ in range(2))
    surname = rng.choice(PARTS["double"]) if rng.random() < 0.04 else rng.choice(PARTS["surnames"])
    return surname + "".join(rng.choice(PARTS["given"]) for _ in range(1 + (rng.random() < 0.75)))


def _transliterated(rng: random.Random) -> str:
    return "".join(rng.choice(PARTS["foreign"]) for _ in range(rng.randint(1, 3))) + rng.choice(PARTS["foreign_ends"])


def _organization(rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.15:
        return rng.choice(PARTS["departments"]) + rng.choice(["部", "部", "中心", "组", "科", "处", "团队"])
    head = (
        rng.choice(PARTS["brands"])
        if chance < 0.7
        else rng.choice(PARTS["place_parts"]) + rng.choice(PARTS["place_parts"])
    )
    if chance > 0.9:
        head = _transliterated(rng)
    return head + rng.choice(PARTS["org_ends"])


def _time(rng: random.Random) -> str:
    year, month, day = rng.randint(1500, 2030), rng.randint(1, 12), rng.randint(1, 28)
    numeral = _NUMERALS[rng.randint(0, 9)]
    return rng.choice(
        [
            f"{year}年",
            f"{year}年{month}月",
            f"{year}年{month}月{day}日",
            f"{month}月{day}日",
            f"{numeral}月",
            f"{year}年底",
            f"{year}年初",
            f"{rng.randint(15, 21)}世纪",
            f"{year % 100 // 10 * 10}年代",
            f"{rng.randint(15, 21)}世纪{rng.randint(1, 9)}0年代",
            f"{year}年第{'一二三四'[month % 4]}季度",
            f"去年{month}月",
            f"今年{numeral}月",
            f"{year}年夏天",
            f"{year}年上半年",
            f"{rng.randint(0, 23)}:{rng.randint(10, 59)}",
            f"每周{numeral}",
            f"下周{'一二三四五'[month % 5]}",
            f"上午{rng.randint(8, 11)}点",
            f"凌晨{rng.randint(1, 5)}点",
            f"公元前{rng.randint(100, 900)}年",
            f"{month}月初",
            f"{month}月中旬",
            f"{numeral}月{numeral}日",
        ]
    )


def _product(rng: random.Random) -> str:
    chance = rng.random()
    latin = "".join(rng.choice("ABCDEFGHKLMPQRSTVXZ") for _ in range(rng.randint(1, 3)))
    if chance < 0.25:
        return rng.choice(PARTS["brands"]) + latin + str(rng.randint(1, 900))
    if chance < 0.4:
        return (
            rng.choice(PARTS["brands"])
            + rng.choice(["", rng.choice(PARTS["product_heads"])])
            + rng.choice(PARTS["product_ends"])
        )
    return rng.choice(PARTS["product_heads"]) + rng.choice(PARTS["product_ends"])
