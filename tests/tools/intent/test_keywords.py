from __future__ import annotations

import pytest

from tools.intent.keywords import KeywordIntentDetector
from tools.intent.probe import probe_accuracy


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("Hello!", "small_talk"),
        ("谢谢你", "small_talk"),
        ("WHY did it fail?", "causal_question"),
        ("请总结一下", "broad_question"),
        ("Hi, who is allowed to sign the lease?", "knowledge_question"),
        ("Hi, can you tell me why it failed?", "causal_question"),
        ("What does the white paper say?", "knowledge_question"),
        ("", "knowledge_question"),
    ],
)
async def test_the_first_telling_keyword_decides(message: str, label: str) -> None:
    assert (await KeywordIntentDetector().detect(message, "en")).label == label


async def test_a_miss_is_less_certain_than_a_hit() -> None:
    detector = KeywordIntentDetector()
    hit, miss = await detector.detect("why", "en"), await detector.detect("the valve", "en")
    assert (hit.decided_by, miss.decided_by) == ("keywords", "keywords")
    assert hit.confidence > miss.confidence


async def test_it_is_no_match_for_the_rules() -> None:
    assert await probe_accuracy(KeywordIntentDetector()) < 0.6
