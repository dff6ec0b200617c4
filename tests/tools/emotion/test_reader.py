"""The joined reader: which model reads what of a message, and what happens without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import structlog

from tools.emotion.calibration import Calibration
from tools.emotion.labels import LABELS
from tools.emotion.protocol import Emotion, Probabilities
from tools.emotion.reader import JoinedEmotionReader, parts_of
from tools.errors import NotAvailable, StoreUnavailable

AWKWARD = [
    "",
    " ",
    "\n\t ",
    "😀😡😭",
    "12345 ...",
    "\ud83d",
    "开心\udc00开心",
    "\u200b\u200d\ufeff",
    "开\u200b心\u200b",
    "a\x00b",
    "さようなら",
    "Привет",
    "שלום",
    "好" * 100_000,
    "so " * 33_000,
    "好a" * 50_000,
    "😀" * 100_000,
]


class KnownWord:
    """A model that knows one word, which carries one label, and notes what it was asked."""

    calibration = Calibration(thresholds=(0.3,) * 28, confidence=(1.0, 0.0, 0.0), context_weight=0.3)

    def __init__(self, word: str, label: str, error: Exception | None = None) -> None:
        self.word, self.label, self.error = word, label, error
        self.asked = list[str]()
        self.closed = False

    async def probabilities(self, texts: Sequence[str]) -> Probabilities:
        if self.error is not None:
            raise self.error
        self.asked += texts
        return np.array([self._row(text) for text in texts], dtype=np.float32)

    def _row(self, text: str) -> Mapping[str, float] | list[float]:
        felt = self.label if self.word in text else "neutral"
        return [0.9 if label == felt else 0.02 for label in LABELS]

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def chinese() -> KnownWord:
    return KnownWord("甲", "joy")


@pytest.fixture
def english() -> KnownWord:
    return KnownWord("alpha", "sadness")


@pytest.fixture
def reader(chinese: KnownWord, english: KnownWord) -> JoinedEmotionReader:
    return JoinedEmotionReader({"zh": chinese, "en": english})


async def test_the_letters_of_a_message_pick_its_model_whatever_the_language_is_said_to_be(
    reader: JoinedEmotionReader, chinese: KnownWord, english: KnownWord
) -> None:
    assert (await reader.read("甲乙丙", "en")).primary_emotion == "joy"
    assert (await reader.read("alpha beta", "zh")).primary_emotion == "sadness"
    assert (chinese.asked, english.asked) == (["甲乙丙"], ["alpha beta"])


async def test_each_stretch_of_a_mixed_message_is_read_by_its_model(
    reader: JoinedEmotionReader, chinese: KnownWord, english: KnownWord
) -> None:
    emotion = await reader.read("甲 is alpha 乙", "en")
    assert (chinese.asked, english.asked) == (["甲  乙"], ["is alpha"])
    assert emotion.decided_by == "ml"
    assert set(emotion.mixed_emotions) == {"joy", "sadness"}


async def test_the_parts_of_a_mixed_message_count_by_their_length(reader: JoinedEmotionReader) -> None:
    assert (await reader.read("甲乙丙丁戊己庚 alpha", "zh")).primary_emotion == "joy"
    assert (await reader.read("甲 alpha beta gamma delta epsilon", "zh")).primary_emotion == "sadness"


def test_signs_stay_with_the_letters_before_them() -> None:
    parts = {part.language: part.text for part in parts_of("😀 Good! 很好😭，really?")}
    assert parts == {"en": "😀 Good!  really?", "zh": "很好😭，"}
    assert sum(part.share for part in parts_of("Good! 很好")) == pytest.approx(1)
    assert parts_of("😀 1234 \ud83d") == ()


async def test_a_message_without_letters_is_read_by_words_alone(reader: JoinedEmotionReader) -> None:
    emotion = await reader.read("😭😭", "zh")
    assert (emotion.primary_emotion, emotion.decided_by) == ("sadness", "lexicon")


async def test_the_message_before_moves_the_reading_a_little(reader: JoinedEmotionReader) -> None:
    alone, after = await reader.read("乙", "zh"), await reader.read("乙", "zh", ["丙", "甲"])
    assert alone.primary_emotion == after.primary_emotion == "neutral"
    assert after.all_emotions["joy"] > alone.all_emotions["joy"]


async def test_without_a_model_words_decide_and_say_so(english: KnownWord) -> None:
    reader = JoinedEmotionReader({"en": english})
    emotion = await reader.read("我太开心了", "zh")
    assert (emotion.primary_emotion, emotion.decided_by) == ("joy", "lexicon")
    assert (await reader.read("alpha", "en")).decided_by == "ml"


async def test_a_model_that_cannot_be_loaded_is_noted_once_and_stood_in_for() -> None:
    broken = KnownWord("甲", "joy", NotAvailable("The model is not there."))
    reader = JoinedEmotionReader({"zh": broken})
    with structlog.testing.capture_logs() as logs:
        emotions = [await reader.read("气死我了", "zh") for _ in range(3)]
    assert {(emotion.primary_emotion, emotion.decided_by) for emotion in emotions} == {("anger", "lexicon")}
    assert [line["event"] for line in logs] == ["emotion.model_missing"]
    assert "气" not in str(logs)


async def test_too_many_waiting_messages_are_the_callers_to_hear_of() -> None:
    reader = JoinedEmotionReader({"zh": KnownWord("甲", "joy", StoreUnavailable("Too many."))})
    with pytest.raises(StoreUnavailable):
        await reader.read("甲", "zh")


async def test_many_messages_are_read_as_each_would_be(
    reader: JoinedEmotionReader, chinese: KnownWord, english: KnownWord
) -> None:
    messages = ["甲", "alpha", "甲 alpha", "", "😭", "甲"] * 30
    together = await reader.read_many(messages)
    assert list(together) == [await reader.read(message, "zh") for message in messages]
    assert await reader.read_many([]) == []


@pytest.mark.parametrize("message", AWKWARD)
async def test_any_text_is_read(reader: JoinedEmotionReader, message: str) -> None:
    _is_sound(await reader.read(message, "zh", [message]))
    for emotion in await reader.read_many([message, "甲"]):
        _is_sound(emotion)


def _is_sound(emotion: Emotion) -> None:
    assert emotion.primary_emotion in LABELS
    assert tuple(emotion.all_emotions) == LABELS
    assert -1 <= emotion.valence <= 1
    assert all(0 <= value <= 1 for value in (emotion.arousal, emotion.intensity, emotion.confidence))


async def test_of_a_huge_message_both_ends_are_read(
    reader: JoinedEmotionReader, chinese: KnownWord, english: KnownWord
) -> None:
    assert (await reader.read("甲" + "乙" * 100_000, "zh")).primary_emotion == "joy"
    assert (await reader.read("乙" * 100_000 + "甲", "zh")).primary_emotion == "joy"
    assert max(map(len, chinese.asked)) < 5000


async def test_closing_closes_the_models(reader: JoinedEmotionReader, chinese: KnownWord, english: KnownWord) -> None:
    await reader.close()
    assert chinese.closed
    assert english.closed
