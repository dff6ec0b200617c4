"""Invented English names and terms by type, put together from their usual parts: for swapped copies only."""

from __future__ import annotations

import random
from pathlib import Path

from training.parts import read_parts

from tools.knowledge.extraction.protocol import EntityType

TERMS = Path(__file__).parent / "terms_en.txt"
PARTS = read_parts(Path(__file__).parent / "parts_en.yaml")


def terms() -> dict[EntityType, list[str]]:
    """The lists of `terms_en.txt`."""
    found: dict[EntityType, list[str]] = {}
    for line in TERMS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, _, words = line.partition(": ")
            found[kind] = list(dict.fromkeys(words.split("; ")))  # type: ignore[index]
    return found


def invent(kind: EntityType, rng: random.Random) -> str:
    """A name of the type that nobody has heard of."""
    pick = rng.choice
    match kind:
        case "person":
            middle = pick(["", "", "", "", f" {pick('ABCDEFGHJKLMRSTW')}.", f" {pick(PARTS['first'])}"])
            return (
                f"{pick(PARTS['first'])}{middle} {pick(PARTS['last'])}" if rng.random() < 0.85 else pick(PARTS["last"])
            )
        case "organization":
            return _organization(rng)
        case "location":
            name = place(rng)
            return (
                name
                if rng.random() < 0.6
                else f"{name} {pick(PARTS['geo'])}"
                if rng.random() < 0.8
                else f"{pick(['Lake', 'Mount', 'Gulf of', 'Port', 'Cape', 'New', 'Isle of'])} {name}"
            )
        case "event":
            head = pick(
                [
                    place(rng),
                    f"{rng.randint(1700, 2025)} {place(rng)}",
                    f"{pick(PARTS['brands'])}",
                    f"{pick(['International', 'World', 'European', 'Annual', 'National'])} {pick(PARTS['fields'])}",
                ]
            )
            return pick(
                [
                    f"{head} {pick(PARTS['event_ends'])}",
                    f"{head} {pick(PARTS['event_ends'])}",
                    f"Battle of {place(rng)}",
                    f"Siege of {place(rng)}",
                    f"Treaty Conference of {place(rng)}",
                ]
            )
        case "time":
            return _time(rng)
        case "product":
            return _product(rng)
        case "concept":
            return f"{pick(PARTS['things'])} {pick(PARTS['concept_ends'])}"
        case "process":
            return f"{pick(PARTS['things'])} {pick(PARTS['process_ends'])}"
        case "metric":
            head = pick(["", "", "", "average ", "annual ", "median ", "net "])
            return f"{head}{pick(PARTS['things'])} {pick(PARTS['metric_ends'])}"
        case "work":
            return _work(rng)


def place(rng: random.Random) -> str:
    """A town nobody has seen."""
    return rng.choice(PARTS["place"]) + rng.choice(PARTS["place_ends"])


def _organization(rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.1:
        return rng.choice(PARTS["teams"])
    if chance < 0.35:
        return rng.choice(PARTS["heads"]).format(p=place(rng), f=rng.choice(PARTS["fields"]))
    if chance < 0.42:
        return "".join(rng.choice("ABCDEFGHILMNOPRSTUW") for _ in range(rng.randint(3, 5)))
    head = rng.choice(
        [
            rng.choice(PARTS["brands"]),
            rng.choice(PARTS["last"]),
            place(rng),
            f"{rng.choice(PARTS['last'])} & {rng.choice(PARTS['last'])}",
        ]
    )
    return f"{head} {rng.choice(PARTS['org_ends'])}" if chance < 0.9 else head


def _work(rng: random.Random) -> str:
    pick = rng.choice
    return pick(
        [
            f"The {pick(PARTS['adjectives'])} {pick(PARTS['title'])}",
            f"{pick(PARTS['title'])} of {pick(PARTS['title'])}",
            f"{pick(PARTS['adjectives'])} {pick(PARTS['title'])}",
            f"The {pick(PARTS['title'])} and the {pick(PARTS['title'])}",
            f"{pick(PARTS['fields'])} Act {rng.randint(1950, 2024)}",
            f"{place(rng)} Convention",
            f"Treaty of {place(rng)}",
            f"ISO {rng.randint(1000, 50000)}",
            f"{pick(PARTS['fields'])} Act",
            f"{place(rng)} Chronicle",
            f"Symphony No. {rng.randint(1, 9)}",
            f"{pick(PARTS['brands'])} Quarterly",
            f"RFC {rng.randint(100, 9999)}",
            f"{pick(PARTS['fields'])} and Safety Regulations",
            f"Letters from {place(rng)}",
        ]
    )


def _time(rng: random.Random) -> str:
    year, month, day = rng.randint(1500, 2030), rng.choice(PARTS["months"]), rng.randint(1, 28)
    return rng.choice(
        [
            str(year),
            str(year),
            f"{month} {year}",
            f"{day} {month} {year}",
            f"{month} {day}, {year}",
            f"{day} {month}",
            f"{month} {day}",
            month,
            f"{year // 10 * 10}s",
            f"the {year // 10 * 10}s",
            f"{rng.randint(13, 21)}th century",
            rng.choice(PARTS["days"]),
            f"Q{rng.randint(1, 4)} {year}",
            f"spring {year}",
            f"early {year}",
            f"late {month}",
            f"{rng.randint(1, 12)}:{rng.randint(10, 59)}",
            f"{rng.randint(1, 12)} p.m.",
            f"last {rng.choice(PARTS['days'])}",
            "last year",
            "next week",
            f"{rng.randint(100, 900)} BC",
            f"summer of {year}",
            f"fiscal year {year}",
            f"{year}-0{rng.randint(1, 9)}-{rng.randint(10, 28)}",
        ]
    )


def _product(rng: random.Random) -> str:
    chance = rng.random()
    model = f"{rng.choice('ABCDEGKLMRSTVXZ')}{rng.choice(['', '-'])}{rng.randint(1, 900)}"
    if chance < 0.3:
        return f"{rng.choice(PARTS['brands'])} {model}"
    if chance < 0.45:
        end = rng.choice(["DB", "Flow", "Hub", "Sync", "OS", "Kit", " Pro", " Cloud", " 2", " 3.1", "ly", ".js"])
        return f"{rng.choice(PARTS['brands'])}{end}"
    if chance < 0.6:
        return (
            rng.choice(["", "Lo", "Me", "Ta", "Vi", "Zo", "Ri"])
            + rng.choice(["xa", "ni", "lo", "pra", "tre", "fli"])
            + rng.choice(["mab", "pril", "statin", "zole", "mycin", "vir", "olol", "prazole", "cillin", "sartan"])
        )
    if chance < 0.75:
        return f"{rng.choice(PARTS['brands'])} {rng.choice(PARTS['product_ends'])}"
    kinds = ["wireless", "hydraulic", "electric", "smart", "portable", "infrared", "industrial", "handheld", "solar"]
    return f"{rng.choice(kinds)} {rng.choice(PARTS['product_ends'])}"
