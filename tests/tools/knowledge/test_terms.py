"""Terms of English, Chinese and mixed text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.knowledge import terms as module
from tools.knowledge.terms import is_character, terms, weight


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The dogs were running", "dog run"),
        ("generalisation, generalised; GENERAL!", "generalis generalis general"),
        ("Moscow's and Moscow’s", "moscow moscow"),
        ("Erdoğan naïve CAFÉ Straße", "erdogan naiv cafe strass"),
        ("ﬁnance Ｆｕｌｌ ①", "financ full 1"),
        ("1,000.50 and 2.5 or 364.6km, 1,2", "1000.50 2.5 364.6 km 1 2"),
        ("the U.S. Army, e.g. C++ and C#", "us armi eg c++ c#"),
        ("state-of-the-art snake_case GPT-4o", "state art snake case gpt 4o"),
        ("ended.Next", "end next"),
        ("Привет мир", "привет мир"),
        ("", ""),
        (" \n\t .,;!? — … ", ""),
    ],
)
def test_english_words_are_stems_without_stop_words(text: str, expected: str) -> None:
    assert terms(text, "en") == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("龙井茶", "龙井 井茶"),
        ("龙井茶，绿茶。", "龙井 井茶 绿茶"),
        ("茶", "茶"),
        ("龙井茶产于哪里？", "龙井 井茶 茶产 产于 哪里"),
        ("他们是谁", ""),
        ("用Python写", "用 python 写"),
        ("光荣和ω-force", "光荣 荣和 ω forc"),
        ("２０２４年１月", "2024 年 1 月"),
        ("全长364.6公里", "全长 364.6 公里"),
        ("とうきょう", "とう うき きょ ょう"),
        ("서울", "서울"),
    ],
)
def test_chinese_runs_are_pairs(text: str, expected: str) -> None:
    assert terms(text, "zh") == expected.split()


def test_repeats_stay() -> None:
    assert terms("tea, tea and more teas", "en") == ["tea", "tea", "more", "tea"]


def test_english_stop_words_are_names_in_chinese_text() -> None:
    assert "it" in terms("IT行业", "zh")
    assert "it" not in terms("It works", "en")


def test_mixed_text_meets_a_query_of_either_language() -> None:
    document = terms("LangGraph keeps checkpoints. LangGraph 保存检查点。", "en")
    assert set(terms("LangGraph checkpoint 是什么", "zh")) & set(document) >= {"langgraph", "checkpoint"}
    assert set(terms("检查点", "zh")) <= set(document)
    assert set(terms("What is 检查点?", "en")) <= set(document)


def test_a_pair_of_function_characters_is_no_term_and_half_a_pair_weighs_less() -> None:
    assert terms("这是什么", "zh") == []
    assert weight("龙井") == weight("python") == 1
    assert 0 < weight("的茶") < 1


def test_only_one_han_character_is_a_character() -> None:
    assert is_character("茶")
    assert not any(map(is_character, ("龙井", "a", "7")))


def test_very_long_words_are_cut_and_not_remembered() -> None:
    before = len(module._OF_ENGLISH)
    (term,) = terms("a1" * 5_000, "en")
    assert len(term) == module.MAX_WORD_CHARS
    assert len(module._OF_ENGLISH) == before


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN_WORDS", 50)
    words = [f"pears{number}x" for number in range(500)]
    assert [terms(word, "en") for word in words] == [[word] for word in words]
    assert len(module._OF_ENGLISH) <= 50


def test_threads_get_the_same_terms_as_one_alone() -> None:
    texts = [f"running{n} connections{n} nationalities{n} happily{n}" for n in range(400)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda text: terms(text, "en"), texts))
    module._OF_ENGLISH.clear()
    module._word.cache_clear()
    assert together == [terms(text, "en") for text in texts]
