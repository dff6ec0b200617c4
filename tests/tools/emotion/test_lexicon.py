from __future__ import annotations

import pytest
import yaml

from tools.emotion.labels import LABELS
from tools.emotion.lexicon import LexiconEmotionReader
from tools.emotion.lexicon_words import LEXICON
from tools.emotion.protocol import Emotion

FELT = set(LABELS) - {"neutral"}


@pytest.fixture(scope="module")
def reader() -> LexiconEmotionReader:
    return LexiconEmotionReader()


async def _read(reader: LexiconEmotionReader, message: str, *history: str) -> Emotion:
    return await reader.read(message, "en", history)


def test_the_lexicon_speaks_of_all_goemotions_labels_in_both_languages() -> None:
    lexicon = yaml.safe_load(LEXICON.read_text(encoding="utf-8"))
    for language in ("en", "zh"):
        assert set(lexicon[language]) >= FELT
        words = [word for group in lexicon[language].values() for word in _words(group)]
        assert len(words) == len(set(words)) >= 400


def _words(group: object) -> list[str]:
    if isinstance(group, dict):
        return [word for words in group.values() for word in words]
    assert isinstance(group, list)
    return group


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("I'm so happy today!", "joy"),
        ("Thank you so much for this", "gratitude"),
        ("This is disgusting.", "disgust"),
        ("I am terrified of flying", "fear"),
        ("I'm so sorry, it was my fault.", "remorse"),
        ("My grandmother passed away", "grief"),
        ("phew, what a relief", "relief"),
        ("I CAN'T WAIT!!!", "excitement"),
        ("sooooo awkward", "embarrassment"),
        ("😭😭", "sadness"),
        ("great work 👏", "admiration"),
        ("今天太开心了！", "joy"),
        ("我很焦虑，睡不着", "nervousness"),
        ("气死我了", "anger"),
        ("对不起，我错了", "remorse"),
        ("奶奶昨天去世了", "grief"),
        ("谢谢你的帮助", "gratitude"),
        ("终于松了一口气", "relief"),
        ("好尴尬 so awkward", "embarrassment"),
    ],
)
async def test_words_that_carry_an_emotion_are_read(reader: LexiconEmotionReader, message: str, label: str) -> None:
    assert (await _read(reader, message)).primary_emotion == label


@pytest.mark.parametrize(
    "message",
    [
        "How many vacation days does a new employee get?",
        "Where was the director of the film born?",
        "What is a good operating temperature?",
        "新员工每年有几天年假？",
        "紧急切断阀在什么位置？",
        "",
        "1234",
        "...",
        "\x00\ud83d",
    ],
)
async def test_a_plain_question_is_neutral(reader: LexiconEmotionReader, message: str) -> None:
    emotion = await _read(reader, message)
    assert (emotion.primary_emotion, emotion.sentiment) == ("neutral", "neutral")
    assert emotion.intensity < 0.2


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("I am not happy with it", "disappointment"),
        ("this isn't awesome at all", "disapproval"),
        ("我一点也不开心", "disappointment"),
        ("I'm not sad", "neutral"),
        ("我不难过", "neutral"),
    ],
)
async def test_a_denied_feeling_is_another(reader: LexiconEmotionReader, message: str, label: str) -> None:
    assert (await _read(reader, message)).primary_emotion == label


async def test_a_negation_ends_with_its_clause(reader: LexiconEmotionReader) -> None:
    assert (await _read(reader, "No, happy to help")).primary_emotion == "joy"


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        ("I am happy", "I am very happy"),
        ("I am slightly happy", "I am happy"),
        ("I am happy", "I am happy!!!"),
        ("I am happy", "I am HAPPY"),
        ("我有点开心", "我开心"),
        ("我开心", "我非常开心"),
        ("我开心", "我开心！"),
    ],
)
async def test_emphasis_makes_a_feeling_stronger(reader: LexiconEmotionReader, weaker: str, stronger: str) -> None:
    one, other = await _read(reader, weaker), await _read(reader, stronger)
    assert one.intensity < other.intensity
    assert one.all_emotions["joy"] <= other.all_emotions["joy"]


async def test_what_follows_a_but_counts_more(reader: LexiconEmotionReader) -> None:
    assert (await _read(reader, "I was happy but now I am sad")).primary_emotion == "sadness"
    assert (await _read(reader, "虽然难过但是开心")).primary_emotion == "joy"


async def test_pleasant_and_unpleasant_are_told_apart_by_valence(reader: LexiconEmotionReader) -> None:
    pleasant, unpleasant = await _read(reader, "I love it, amazing!"), await _read(reader, "我很伤心，好难过")
    assert pleasant.valence > 0.4
    assert unpleasant.valence < -0.4


async def test_rage_is_more_aroused_than_sorrow(reader: LexiconEmotionReader) -> None:
    assert (await _read(reader, "I am furious!")).arousal > (await _read(reader, "I am sad")).arousal


async def test_the_message_before_tips_the_balance_and_never_speaks_alone(reader: LexiconEmotionReader) -> None:
    assert (await _read(reader, "Tell me the price", "I am furious!")).primary_emotion == "neutral"
    assert (await _read(reader, "happy and sad", "I was so sad, crying")).primary_emotion == "sadness"
    assert (await _read(reader, "happy and sad", "overjoyed, so happy")).primary_emotion == "joy"


@pytest.mark.parametrize(
    "message", ["I love it!!! ❤❤❤ AMAZING", "fine", "awful, disgusting, vile", "😡" * 1000, "开心" * 50_000]
)
async def test_figures_stay_in_their_ranges_and_claim_little(reader: LexiconEmotionReader, message: str) -> None:
    emotion = await _read(reader, message)
    assert -1 <= emotion.valence <= 1
    assert all(0 <= value <= 1 for value in (emotion.primary_score, emotion.arousal, emotion.intensity))
    assert 0.4 < emotion.confidence < 0.65
    assert emotion.decided_by == "lexicon"


async def test_every_label_has_a_probability_and_what_no_word_speaks_for_has_none(reader: LexiconEmotionReader) -> None:
    emotion = await _read(reader, "谢谢你")
    assert tuple(emotion.all_emotions) == LABELS
    assert {label for label, value in emotion.all_emotions.items() if value} == {"gratitude", "neutral"}
    assert (emotion.sentiment, emotion.ekman) == ("positive", "joy")


async def test_opposite_feelings_of_like_strength_are_mixed(reader: LexiconEmotionReader) -> None:
    assert set((await _read(reader, "我很难过，也很感谢你")).mixed_emotions) == {"sadness", "gratitude"}
    assert (await _read(reader, "我很难过")).mixed_emotions == ()


async def test_many_are_read_as_each_would_be(reader: LexiconEmotionReader) -> None:
    messages = ["I am so happy", "", "气死我了", "😭"]
    assert list(await reader.read_many(messages)) == [await _read(reader, message) for message in messages]
    assert await reader.read_many([]) == []
    await reader.close()
