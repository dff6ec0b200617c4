from __future__ import annotations

import time

import pytest
import yaml

from tools.emotion.lexicon import LEXICON, MAX_CONFIDENCE, LexiconEmotionReader
from tools.emotion.protocol import Emotion

GOEMOTIONS = set(
    """admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval
    disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief
    remorse sadness surprise neutral""".split()  # noqa: SIM905
)


@pytest.fixture(scope="module")
def reader() -> LexiconEmotionReader:
    return LexiconEmotionReader()


async def _read(reader: LexiconEmotionReader, message: str, *history: str) -> Emotion:
    return await reader.read(message, "en", history)


def test_the_lexicon_speaks_of_all_goemotions_labels_in_both_languages() -> None:
    lexicon = yaml.safe_load(LEXICON.read_text(encoding="utf-8"))
    assert set(lexicon["labels"]) == GOEMOTIONS
    for language in ("en", "zh"):
        assert GOEMOTIONS - {"neutral"} <= set(lexicon[language])
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
    assert (emotion.primary_emotion, emotion.valence, emotion.intensity) == ("neutral", 0, 0)


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
    assert one.primary_score <= other.primary_score


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
    "message", ["I love it!!! ❤❤❤ AMAZING", "fine", "awful, disgusting, vile", "😡" * 1000, "开心" * 1000]
)
async def test_figures_stay_in_their_ranges_and_claim_little(reader: LexiconEmotionReader, message: str) -> None:
    emotion = await _read(reader, message)
    assert -1 <= emotion.valence <= 1
    assert all(0 <= value <= 1 for value in (emotion.primary_score, emotion.arousal, emotion.intensity))
    assert 0 < emotion.confidence <= MAX_CONFIDENCE
    assert emotion.decided_by == "lexicon"


async def test_a_message_takes_tens_of_microseconds_and_a_huge_one_milliseconds(reader: LexiconEmotionReader) -> None:
    started = time.process_time()
    for _ in range(500):
        await _read(reader, "I was so happy with the answer, but then it made me sad, and now I don't know what to do.")
    assert (time.process_time() - started) / 500 < 300e-6
    started = time.process_time()
    await _read(reader, "not so happy " * 100_000)
    assert time.process_time() - started < 0.1
