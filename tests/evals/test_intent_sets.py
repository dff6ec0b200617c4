"""Figures of the intent suites, and the messages they measure on."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import numpy as np
import pytest

from evals.data import rows
from evals.intent_sets import auroc, ece, half_of, threshold_losing
from evals.suites.intent import LABELLED
from tests.evals.test_suites import measured, write
from tools.intent.examples import read_examples
from tools.intent.protocol import IntentLabel
from tools.models.protocol import Language


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_labelled_messages_are_two_hundred_of_each_language_and_balanced(language: Language) -> None:
    counts = Counter(row["intent"] for row in rows(LABELLED, f"intents_{language}"))
    assert counts == dict.fromkeys(get_args(IntentLabel), 20)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_labelled_message_stands_among_the_examples(language: Language) -> None:
    def bare(text: str) -> str:
        return "".join(sign for sign in text.lower() if sign.isalnum()) or text

    known = {bare(example.text) for example in read_examples(language)}
    assert not [row["message"] for row in rows(LABELLED, f"intents_{language}") if bare(row["message"]) in known]


def test_a_threshold_loses_no_more_than_it_may() -> None:
    sure = np.linspace(0, 1, 101, dtype=np.float32)
    right = np.ones(101, dtype=bool)
    threshold = threshold_losing(0.1, right, sure)
    assert (sure[right] < threshold).sum() == 10


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    above, below = np.array([0.9, 0.8, 0.5], dtype=np.float32), np.array([0.5, 0.1], dtype=np.float32)
    assert auroc(above, below).value == pytest.approx(5.5 / 6)


def test_confidence_that_is_always_right_has_no_gap() -> None:
    assert ece([(1.0, True)] * 5).value == 0
    assert ece([(0.9, False)] * 10).value == pytest.approx(0.9)


def test_dialogues_are_halved_the_same_way_every_time() -> None:
    halves = [half_of(str(number)) for number in range(200)]
    assert halves == [half_of(str(number)) for number in range(200)]
    assert 70 < sum(halves) < 130


def test_intents_are_measured_on_sets_small_enough_to_know(tmp_path: Any) -> None:
    verbs = {"open": "open the {}", "paint": "paint my {} blue", "sell": "what do I get for this {}"}
    things = ("door", "window", "gate", "box", "shelf", "table")
    known = [{"id": f"{v}{t}", "text": p.format(t), "intent": v} for v, p in verbs.items() for t in things]
    oos = [{"id": text, "text": text, "intent": "oos"} for text in ("who won the war", "it rains", "two plus two")]
    asked = [{"id": v, "text": p.format("cupboard"), "intent": v} for v, p in verbs.items()]
    for name, part in (("train", known), ("dev", known + oos), ("open", asked + oos)):
        write(tmp_path / "clinc150", name, part)
    write(tmp_path / "banking77", "train", known)
    write(tmp_path / "banking77", "open", asked)
    assert measured(tmp_path, "banking77")["accuracy"]["value"] == 1.0
    found = measured(tmp_path, "clinc150")
    assert found["accuracy_without_threshold"]["value"] == 1.0
    assert found["oos_auroc"]["value"] == 1.0


def test_dialogue_acts_are_measured_with_their_context(tmp_path: Any) -> None:
    def row(number: int, domain: str, text: str, history: list[str]) -> dict[str, Any]:
        acts = [{"intent": "Request", "domain": domain, "slot": "地址", "value": ""}]
        return {"id": f"{number}_{text}", "dialog": str(number), "history": history, "text": text, "dialog_acts": acts}

    def dialogue(number: int) -> list[dict[str, Any]]:
        domain = "酒店" if number % 2 else "餐馆"
        first = f"请推荐一家{domain}"
        return [
            row(number, domain, first, []),
            row(number, domain, "地址在哪里？", [f"usr: {first}", f"sys: 推荐这家{domain}。"]),
        ]

    write(tmp_path / "crosswoz_zh", "dev", [line for number in range(24) for line in dialogue(number)])
    write(tmp_path / "crosswoz_zh", "open", [line for number in range(100, 108) for line in dialogue(number)])
    found = measured(tmp_path, "crosswoz_zh")
    assert found["micro_f1"]["value"] == 1.0
    assert found["ngrams_alone.micro_f1"]["value"] < 1.0
