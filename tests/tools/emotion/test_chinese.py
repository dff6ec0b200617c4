"""The Chinese model that is shipped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tools.emotion.chinese import CHINESE, ChineseEmotions, open_chinese, with_words
from tools.emotion.labels import LABELS, NEUTRAL, OF_SENTIMENT, SENTIMENTS
from tools.errors import NotAvailable
from tools.models.packed import CARD, WEIGHTS

MAX_BYTES = 3_000_000


@pytest.fixture(scope="module")
def model() -> ChineseEmotions:
    return open_chinese()


def _primary(model: ChineseEmotions, text: str) -> str:
    return LABELS[int(model.rows([text])[0].argmax())]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("今天太开心了！", "joy"),
        ("谢谢你帮了我这么多", "gratitude"),
        ("你们太过分了，我非常生气", "anger"),
        ("我好害怕，一个人不敢睡", "fear"),
        ("奶奶上个月去世了", "grief"),
        ("对不起，都是我的错", "remorse"),
        ("我们的项目得奖了，真自豪", "pride"),
        ("明天考试，好紧张", "nervousness"),
        ("一个人在家偷偷哭，很难过", "sadness"),
        ("好恶心，想吐", "disgust"),
        ("还好没事，松了一口气", "relief"),
        ("公司年假有多少天", "neutral"),
        ("把这段话翻译成英文", "neutral"),
    ],
)
def test_messages_of_many_kinds_are_told(model: ChineseEmotions, text: str, label: str) -> None:
    assert _primary(model, text) == label


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("物流很快，质量不错，还会再来", "positive"),
        ("用了三天就坏了，客服也不理人", "negative"),
        ("房间又小又吵，再也不会来了", "negative"),
        ("屏幕清晰，手感很好，值得推荐", "positive"),
    ],
)
def test_whether_a_buyer_is_content_is_told(model: ChineseEmotions, text: str, sentiment: str) -> None:
    sums = model.rows([text])[0] @ OF_SENTIMENT
    assert SENTIMENTS[int(sums.argmax())] == sentiment


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u200b\u200d", "\ud83d", "开心\udc00", "😀" * 1000, "好" * 100_000, "English only", "\x00", "𠮷野家"],
)
def test_any_text_gives_probabilities(model: ChineseEmotions, text: str) -> None:
    rows = model.rows([text, "你好"])
    assert rows.shape == (2, len(LABELS))
    assert ((rows >= 0) & (rows <= 1)).all()


async def test_many_texts_are_read_as_each_would_be(model: ChineseEmotions) -> None:
    texts = ["开心", "", "气死我了", "谢谢", "今天星期几", "我想静静"]
    each = np.concatenate([await model.probabilities([text]) for text in texts])
    np.testing.assert_allclose(await model.probabilities(texts), each, atol=1e-6)
    assert (await model.probabilities([])).shape == (0, len(LABELS))


def test_a_label_holds_where_the_words_or_the_model_say_so() -> None:
    model, words = np.full(28, 0.03, dtype=np.float32), np.zeros(28, dtype=np.float32)
    words[3], words[NEUTRAL] = 0.9, 0.1
    joined = with_words(model, words)
    assert joined[3] > 0.7
    assert joined[NEUTRAL] < model[NEUTRAL]
    np.testing.assert_allclose(joined[:3], model[:3], rtol=1e-5)


def test_it_is_small_and_its_card_says_what_it_is() -> None:
    card = json.loads((CHINESE / CARD).read_text(encoding="utf-8"))
    assert sum(file.stat().st_size for file in CHINESE.rglob("*") if file.is_file()) <= MAX_BYTES
    assert {"name", "licence", "command", "data", "recipe", "metrics", "calibration", "files"} <= set(card)


def test_files_that_are_missing_or_changed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable):
        open_chinese(tmp_path)
    copy = tmp_path / "zh"
    shutil.copytree(CHINESE, copy)
    (copy / WEIGHTS).write_bytes(b"x" + (copy / WEIGHTS).read_bytes()[1:])
    with pytest.raises(NotAvailable):
        open_chinese(copy)


@pytest.mark.parametrize("change", [{"labels": ["a"]}, {"calibration": {}}, {"networks": 7}, {"format": 99}])
def test_a_card_of_something_else_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    shutil.copytree(CHINESE, tmp_path / "zh")
    card = json.loads((CHINESE / CARD).read_text(encoding="utf-8"))
    (tmp_path / "zh" / CARD).write_text(json.dumps({**card, **change}), encoding="utf-8")
    with pytest.raises(NotAvailable):
        open_chinese(tmp_path / "zh")
