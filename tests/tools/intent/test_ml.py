"""The intent by examples, phrases and familiarity."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from tools.errors import StoreUnavailable
from tools.intent.decision import decide
from tools.intent.ml import MlIntentDetector, open_intent_detector
from tools.intent.probe import probe_accuracy
from tools.intent.protocol import IntentLabel
from tools.models.embedders.onnx import OnnxEmbedder
from tools.models.protocol import Embedder, Vectors

LABELS = get_args(IntentLabel)


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    made = OnnxEmbedder()
    yield made
    asyncio.run(made.close())


@pytest.fixture(scope="module")
def detector(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> MlIntentDetector:
    opened = open_intent_detector(embedder, tmp_path_factory.mktemp("data"))
    asyncio.run(opened.warm_up())
    return opened


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_nine_in_ten_probe_messages_are_understood(detector: MlIntentDetector, language: str) -> None:
    assert await probe_accuracy(detector, language) >= 0.9


async def test_it_says_who_decided_and_what_else_it_thought_of(detector: MlIntentDetector) -> None:
    intent = await detector.detect("Why did the second pump fail?", "en")
    assert (intent.label, intent.decided_by) == ("causal_question", "ml")
    assert len(intent.runners_up) == len(LABELS) - 1
    shares = [intent.confidence, *(share for _, share in intent.runners_up)]
    assert sum(shares) == pytest.approx(1, abs=0.01)
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("message", "language", "history", "label"),
    [
        ("and in Berlin?", "en", ["Why did rents rise in Paris?"], "causal_question"),
        ("那柏林呢？", "zh", ["巴黎的房租为什么上涨？"], "causal_question"),
        ("那柏林呢？", "zh", ["明天巴黎会下雨吗？"], "out_of_scope"),
        ("继续", "zh", ["总结一下这些报告", "那去年的呢？"], "broad_question"),
        ("And now translate it into German, please.", "en", ["Why did rents rise in Paris?"], "task"),
    ],
)
async def test_a_follow_up_asks_what_was_asked_before(
    detector: MlIntentDetector, message: str, language: str, history: Sequence[str], label: str
) -> None:
    assert (await detector.detect(message, language, history)).label == label


async def test_a_follow_up_is_less_sure_than_what_it_follows(detector: MlIntentDetector) -> None:
    asked = await detector.detect("Why did rents rise in Paris?", "en")
    again = await detector.detect("and in Berlin?", "en", ["Why did rents rise in Paris?"])
    assert again.confidence == pytest.approx(0.9 * asked.confidence, abs=0.001)


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("Which of the two spouses of Emperor Theodoric outlived him?", "en"),
        ("In what county is the village whose chapel was painted by Orsolini?", "en"),
        ("西里西亚的织工是在哪一年起义的？", "zh"),
        ("该航空母舰的排水量是多少吨？", "zh"),
    ],
)
async def test_a_question_unlike_all_examples_is_looked_up(
    detector: MlIntentDetector, message: str, language: str
) -> None:
    assert (await detector.detect(message, language)).label == "knowledge_question"


@pytest.mark.parametrize("language", ["en", "zh", "fr", ""])
@pytest.mark.parametrize(
    "message",
    [
        "",
        "   ",
        "???",
        "\x00",
        "\ud83d",
        "\u200b\u200d",
        "😀🎉",
        "a" * 100_000,
        "为什么" * 40_000,
        "why 为什么 почему لماذا",
        "ﷺ" * 20_000,
    ],
    ids=range(11),
)
async def test_odd_messages_have_an_intent(detector: MlIntentDetector, message: str, language: str) -> None:
    intent = await detector.detect(message, language, ["", "\ud83d"])
    assert intent.label in LABELS
    assert 0 <= intent.confidence <= 1


async def test_a_message_without_words_is_the_rules(detector: MlIntentDetector) -> None:
    assert (await detector.detect("👍", "zh")).label == "feedback"
    assert (await detector.detect("👍", "zh")).decided_by == "rules"


async def test_until_there_is_a_model_the_rules_decide(embedder: Embedder, tmp_path: Path) -> None:
    fresh = open_intent_detector(embedder, tmp_path)
    assert (await fresh.detect("Why did the pump fail?", "en")).decided_by == "rules"
    await fresh.warm_up()
    assert (await fresh.detect("Why did the pump fail?", "en")).decided_by == "ml"
    await fresh.close()


async def test_when_the_encoder_refuses_the_rules_decide(embedder: Embedder, tmp_path: Path) -> None:
    class Busy:
        """The same encoder, which refuses."""

        name, dimension, languages = embedder.name, embedder.dimension, embedder.languages

        async def embed(self, texts: Sequence[str]) -> Vectors:
            raise StoreUnavailable("Too many texts wait to be embedded.")

        async def close(self) -> None:
            """Nothing to let go of."""

    busy = open_intent_detector(Busy(), tmp_path)
    await busy.warm_up()
    intent = await busy.detect("Why did the pump fail?", "en")
    assert (intent.label, intent.decided_by) == ("causal_question", "rules")
    await busy.close()


async def test_concurrent_messages_do_not_mix(detector: MlIntentDetector) -> None:
    messages = ["hello", "why did it fail?", "who are you?"] * 10
    intents = await asyncio.gather(*(detector.detect(message, "en") for message in messages))
    assert [intent.label for intent in intents] == ["small_talk", "causal_question", "meta"] * 10


def shares(**probabilities: float) -> np.ndarray:
    return np.array([probabilities.get(label, 0.0) for label in LABELS], dtype=np.float32)


def test_what_would_keep_from_the_documents_must_be_familiar() -> None:
    found = shares(out_of_scope=0.6, knowledge_question=0.4)
    assert next(iter(decide(LABELS, found, 0.9, {}, "en"))) == "out_of_scope"
    assert next(iter(decide(LABELS, found, 0.1, {}, "en"))) == "knowledge_question"


@pytest.mark.parametrize("label", ["causal_question", "broad_question", "emotional_support"])
def test_what_is_looked_up_or_felt_is_believed_unfamiliar(label: str) -> None:
    found = shares(**{label: 0.6, "knowledge_question": 0.4})
    assert next(iter(decide(LABELS, found, 0.1, {}, "en"))) == label


def test_phrases_count_beside_the_model() -> None:
    found = shares(task=0.5, unsafe=0.5)
    assert next(iter(decide(LABELS, found, 1.0, {"unsafe": 4.0}, "en"))) == "unsafe"


def test_shares_add_up_to_one() -> None:
    assert sum(decide(LABELS, shares(task=1.0), 1.0, {"meta": 6.0}, "zh").values()) == pytest.approx(1)
