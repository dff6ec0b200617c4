from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import get_args

import pytest

from tools.intent.cues import MAX_LOOK_BACK
from tools.intent.probe import probe_accuracy, probe_messages
from tools.intent.protocol import IntentLabel
from tools.intent.rules import RuleIntentDetector


@pytest.fixture(scope="module")
def detector() -> RuleIntentDetector:
    return RuleIntentDetector()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_four_in_five_probe_messages_are_understood(detector: RuleIntentDetector, language: str) -> None:
    assert await probe_accuracy(detector, language) >= 0.8


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_probe_covers_every_intent(language: str) -> None:
    counts = Counter(probe.intent for probe in probe_messages() if probe.language == language)
    assert set(counts) == set(get_args(IntentLabel))
    assert counts.total() >= 60
    assert min(counts.values()) >= 6


@pytest.mark.parametrize(
    ("message", "earlier", "label"),
    [
        ("and in Berlin?", "Why did rents rise in Paris?", "causal_question"),
        ("What about the second one?", "Summarise the first report.", "broad_question"),
        ("那北京呢？", "巴黎的房租为什么上涨？", "causal_question"),
        ("继续", "总结一下这些报告", "broad_question"),
        ("and why is that?", "Who signed the lease?", "causal_question"),
        ("And now translate it into German, please.", "Why did rents rise in Paris?", "task"),
        ("谢谢", "巴黎的房租为什么上涨？", "small_talk"),
    ],
)
async def test_a_follow_up_asks_what_was_asked_before(
    detector: RuleIntentDetector, message: str, earlier: str, label: str
) -> None:
    assert (await detector.detect(message, "en", [earlier])).label == label


async def test_a_chain_of_follow_ups_leads_back_to_the_question(detector: RuleIntentDetector) -> None:
    history = ["Who are you?", "Why did rents rise in Paris?", "And in Rome?"]
    chained = await detector.detect("and in Berlin?", "en", history)
    assert chained.label == "causal_question"
    assert chained.confidence < (await detector.detect(history[1], "en")).confidence


async def test_an_endless_chain_of_follow_ups_ends(detector: RuleIntentDetector) -> None:
    intent = await detector.detect("and in Berlin?", "en", ["and in Rome?"] * 10_000)
    assert intent.label == "knowledge_question"
    assert MAX_LOOK_BACK < 10


async def test_a_follow_up_without_a_past_is_a_question(detector: RuleIntentDetector) -> None:
    assert (await detector.detect("and in Berlin?", "en")).label == "knowledge_question"


async def test_what_nothing_speaks_for_is_an_unsure_question(detector: RuleIntentDetector) -> None:
    intent = await detector.detect("blue lamp serial", "en")
    assert intent.label == "knowledge_question"
    assert intent.confidence < 0.4
    assert intent.decided_by == "rules"


async def test_more_evidence_is_more_confidence(detector: RuleIntentDetector) -> None:
    weak = await detector.detect("lamp because of rain", "en")
    strong = await detector.detect("Why was that, and what caused it?", "en")
    assert weak.label == strong.label == "causal_question"
    assert weak.confidence < 0.6 < 0.9 < strong.confidence <= 1


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("Hi there! Where is the shut-off valve? Thanks!", "knowledge_question"),
        ("你好，保修期是多久？谢谢", "knowledge_question"),
        ("Good morning. Why did the pump stop?", "causal_question"),
        ("Thanks, bye!", "small_talk"),
    ],
)
async def test_courtesies_do_not_hide_the_question(detector: RuleIntentDetector, message: str, label: str) -> None:
    assert (await detector.detect(message, "en")).label == label


@pytest.mark.parametrize("message", ["", "???", "\x00", "\ud83d", "a" * 1_000_000, "为什么" * 300_000])
async def test_odd_messages_have_an_intent(detector: RuleIntentDetector, message: str) -> None:
    started = time.perf_counter()
    assert (await detector.detect(message, "en")).label in get_args(IntentLabel)
    assert time.perf_counter() - started < 0.5


async def test_concurrent_messages_do_not_mix(detector: RuleIntentDetector) -> None:
    messages = ["hello", "why?", "你是谁"] * 20
    intents = await asyncio.gather(*(detector.detect(message, "en") for message in messages))
    assert [intent.label for intent in intents] == ["small_talk", "causal_question", "meta"] * 20


async def test_a_message_takes_tens_of_microseconds(detector: RuleIntentDetector) -> None:
    probes = list(probe_messages())
    await probe_accuracy(detector)
    started = time.process_time()
    for probe in probes * 5:
        await detector.detect(probe.message, probe.language, probe.history)
    assert (time.process_time() - started) / (5 * len(probes)) < 200e-6
