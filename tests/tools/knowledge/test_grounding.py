"""Which sentences a passage carries, and which it does not."""

from __future__ import annotations

import time

import pytest

from tools.knowledge.facts import numbers, numbers_in_words
from tools.knowledge.grounding import THRESHOLD, Ground, support
from tools.knowledge.protocol import Passage
from tools.knowledge.sentences import markers, split_sentences, without_markers


def passage(text: str, title: str = "", start: int = 0, language: str = "en") -> Passage:
    return Passage("c", "d", "s", title, "", None, start, start + len(text), text, language, 1.0, "bm25")


HARBOUR = passage(
    "Lowick harbour was built in 1874 by the engineer Ada Merrow. Its north pier is 412 metres long. "
    "In 1931 the herring fleet moved to Tarn Bay.",
    "Lowick Harbour",
    start=100,
)
LIGHT = passage(
    "The lighthouse stands on Gull Rock. It was lit for the first time on 3 March 1881.", "Lowick Lighthouse"
)
ENGLISH = [HARBOUR, LIGHT]
TEA = passage("龙井茶产于浙江杭州西湖一带，已有一千二百余年历史。龙井茶属于绿茶。", "龙井茶", 10, "zh")
MAKER = passage("小米公司于2010年在北京成立，创始人是雷军。公司主要生产手机，员工约3万人。", "小米", 0, "zh")
EINSTEIN = passage("阿尔伯特·爱因斯坦出生于1879年的德国乌尔姆市，是一位物理学家。", "爱因斯坦", 0, "zh")
CHINESE = [TEA, MAKER, EINSTEIN]


@pytest.mark.parametrize(
    ("sentence", "place", "quote"),
    [
        ("Lowick harbour was built in 1874 [1].", 0, "Lowick harbour was built in 1874 by the engineer Ada Merrow."),
        ("Its north pier is 412 metres long.", 0, "Its north pier is 412 metres long."),
        ("The lighthouse was lit on 3 March 1881. [2]", 1, "It was lit for the first time on 3 March 1881."),
        # said otherwise
        ("Ada Merrow, an engineer, constructed Lowick harbour in 1874.", 0, HARBOUR.text[:60]),
        ("The harbour's pier in the north has a length of 412 metres.", 0, "Its north pier is 412 metres long."),
        ("- However, the herring fleet moved to Tarn Bay.", 0, "In 1931 the herring fleet moved to Tarn Bay."),
        # the title names what the sentence only points at
        ("The Lowick lighthouse was first lit in 1881.", 1, "It was lit for the first time on 3 March 1881."),
        # over several sentences
        ("The harbour was built in 1874 and the fleet moved to Tarn Bay in 1931.", 0, HARBOUR.text),
    ],
)
def test_english_sentences_are_carried(sentence: str, place: int, quote: str) -> None:
    found = support(sentence, ENGLISH)
    assert found is not None
    assert (found.passage, found.quote) == (place, quote)
    assert THRESHOLD <= found.coverage <= 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Lowick harbour was built in 1875.",
        "Its north pier is 41.2 metres long.",
        "The lighthouse was lit on 4 March 1881.",
        "Three engineers built Lowick harbour in 1874.",
        "Lowick harbour was built in 1874 by Bob Merrow.",
        "Ada Marlow built Lowick harbour in 1874.",
        "Newton harbour was built in 1874.",
        "The herring fleet moved to Tarn Quay in 1931.",
        "The market sells fresh fish every morning.",
        "Of course!",
        "[1]",
        "",
    ],
)
def test_english_sentences_with_another_number_name_or_subject_are_not(sentence: str) -> None:
    assert support(sentence, ENGLISH) is None


@pytest.mark.parametrize(
    ("sentence", "place", "quote"),
    [
        ("龙井茶产于浙江杭州西湖一带[1]。", 0, TEA.text[:25]),
        ("龙井茶属于绿茶。", 0, "龙井茶属于绿茶。"),
        ("龙井茶的产地是浙江杭州西湖一带。", 0, TEA.text[:25]),
        ("龙井茶已有1200余年历史。", 0, TEA.text[:25]),
        ("小米公司由雷军在2010年创立于北京。", 1, MAKER.text[:23]),
        ("小米公司员工约30,000人，主要生产手机。", 1, "公司主要生产手机，员工约3万人。"),
        ("此外，爱因斯坦是物理学家。", 2, EINSTEIN.text),
        ("《小米》的员工有三万人，公司主要生产手机。", 1, "公司主要生产手机，员工约3万人。"),
    ],
)
def test_chinese_sentences_are_carried(sentence: str, place: int, quote: str) -> None:
    found = support(sentence, CHINESE)
    assert found is not None
    assert (found.passage, found.quote) == (place, quote)


@pytest.mark.parametrize(
    "sentence",
    [
        "龙井茶已有一千三百余年历史。",
        "龙井茶已有1300余年历史。",
        "小米公司于2011年在北京成立。",
        "小米公司员工约4万人，主要生产手机。",
        "小米公司有三家工厂，主要生产手机。",
        "龙井茶产于江苏杭州西湖一带。",
        "小米公司于2010年在上海成立。",
        "小米公司于2010年在北京成立，创始人是马云。",
        "小米公司于2010年在北京成立，创始人是Bob。",
        "小米公司于2010年在北京成立，代表作是《围城》。",
        "牛顿出生于1879年。",
        "今天天气很好。",
        "是的。",
    ],
)
def test_chinese_sentences_with_another_number_name_or_subject_are_not(sentence: str) -> None:
    assert support(sentence, CHINESE) is None


@pytest.mark.parametrize(
    "text",
    [
        "Flights for the U.S. military leave daily; Mākaha (Hawaiian for “fierce”) is near.",
        "1987年起，所有含有超过10ppm亚硫酸盐的葡萄酒都须标明。",
        "全名阿若·憍陈如（Ajñāta Kauṇḍinya）。",
    ],
)
def test_what_stands_word_for_word_is_carried_whatever_it_says(text: str) -> None:
    found = support(f"- {text} [1]", [passage(f"Before it. {text} And after.")])
    assert found is not None
    assert (found.quote, found.coverage) == (text, 1)


def test_a_part_of_a_sentence_is_quoted_with_the_rest_of_it() -> None:
    found = support("built in 1874 by the engineer", ENGLISH)
    assert found is not None
    assert found.quote == HARBOUR.text[:60]


def test_a_number_that_opens_a_sentence_is_no_list_item() -> None:
    pi = [passage("3.14 is about pi. 7 of them came.")]
    assert support("3.14 is about pi.", pi) is not None
    assert support("2.14 is about pi.", pi) is None
    assert support("2. 3.14 is about pi.", pi) is not None


def test_a_number_cut_in_two_is_another_number() -> None:
    assert support("Its north pier is 41", ENGLISH) is None
    assert support("12 metres long.", ENGLISH) is None


def test_negation_is_out_of_scope() -> None:
    """Known and documented: the same words with a `not` among them are taken for the same."""
    assert support("Lowick harbour was not built in 1874.", ENGLISH) is not None


def test_a_quote_stands_verbatim_where_it_says() -> None:
    document = "x" * HARBOUR.start + HARBOUR.text
    for sentence in ("Its north pier is 412 metres long.", "The herring fleet moved to Tarn Bay in 1931."):
        found = support(sentence, ENGLISH)
        assert found is not None
        assert document[found.start : found.end] == found.quote


def test_the_passage_that_covers_most_is_taken_and_the_first_of_equals() -> None:
    near = passage("A harbour was built in 1874.")
    found = support("Lowick harbour was built in 1874 by Ada Merrow.", [near, HARBOUR, HARBOUR])
    assert found is not None
    assert (found.passage, found.coverage) == (1, 1)


def test_only_the_passages_asked_for_count() -> None:
    ground = Ground(ENGLISH)
    sentence = "Lowick harbour was built in 1874."
    assert ground.support(sentence, [1]) is None
    assert ground.support(sentence, []) is None
    assert ground.support(sentence, [0]) == ground.support(sentence) == support(sentence, ENGLISH)


def test_missing_support_means_nothing_for_questions_phrases_and_across_languages() -> None:
    ground = Ground(ENGLISH)
    assert ground.can_judge("The harbour was built by Newton [1].")
    for sentence in ("Shall I go on?", "还有什么问题吗？[1]", "...", "港口建于1874年。"):
        assert not ground.can_judge(sentence), sentence
    assert Ground([*ENGLISH, TEA]).can_judge("港口建于1874年。")


def test_a_passage_may_be_empty_or_without_sentences() -> None:
    assert support("Lowick harbour was built.", []) is None
    assert support("Lowick harbour was built.", [passage(""), passage("  \n ")]) is None
    assert support("Lowick Harbour", [passage("", "Lowick Harbour")]) is None
    found = support("Lowick Harbour", [passage("12 x", "Lowick Harbour")])
    assert found is not None
    assert found.quote == "12 x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Smith met J. K. Rowling. They spoke.", ["Dr. Smith met J. K. Rowling.", "They spoke."]),
        (
            "Acme Inc. makes it. Sold by Acme Inc. Prices vary.",
            ["Acme Inc. makes it.", "Sold by Acme Inc.", "Prices vary."],
        ),
        ("Use e.g. this one. The U.S. Army did.", ["Use e.g. this one.", "The U.S. Army did."]),
        ("Pi is 3.14. See a.b/c?d=1 now.", ["Pi is 3.14.", "See a.b/c?d=1 now."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("It (the pier.) fell. (So it did.) Yes.", ["It (the pier.) fell.", "(So it did.)", "Yes."]),
        ("So I said I. Then we left.", ["So I said I.", "Then we left."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("First. [1][2] Second [3]. Third.[4]", ["First. [1][2]", "Second [3].", "Third.[4]"]),
        ("1. One thing\n2. Another thing. Done", ["1. One thing", "2. Another thing.", "Done"]),
        ("Here:\n- one\n- two\n\nEnd", ["Here:", "- one", "- two", "End"]),
        ("A wrapped\nsentence goes on.", ["A wrapped\nsentence goes on."]),
        ("他来了。你呢？好！走吧", ["他来了。", "你呢？", "好！", "走吧"]),
        ("他说：“你好。”[1]然后走了。", ["他说：“你好。”[1]", "然后走了。"]),
        ("圆周率是3.14。真的……是吗？", ["圆周率是3.14。", "真的……", "是吗？"]),
        ("支持LangGraph.它很好。", ["支持LangGraph.", "它很好。"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    found = split_sentences(text)
    assert [sentence.text for sentence in found] == expected
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in found)


def test_markers_are_labels_in_order_without_repeats() -> None:
    assert markers("It is so [2][1], and so [2]. [10] [x] [1234]") == ("2", "1", "10")
    assert markers("龙井茶属于绿茶[1]。") == ("1",)
    assert without_markers("So [1] it is [2][3].") == "So it is."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,250.5 and 3.0 in 2024-01-05", {1250.5, 3, 2024, 1, 5}),
        ("3万人和1.5 亿元", {30_000, 150_000_000}),
        ("三百二十万人", {3_200_000}),
        ("二〇二四年十二月", {2024, 12}),
        ("十二个，两家，五次", {12, 2, 5}),
        ("一起，十分，三国，万一，一个", set()),
        ("千百", set()),
    ],
)
def test_numbers_have_one_value_however_they_are_written(text: str, expected: set[float]) -> None:
    assert numbers(text) == expected


def test_numerals_inside_words_count_when_every_one_does() -> None:
    assert numbers("三国与十分", every=True) == {3, 10}
    assert numbers_in_words({"two", "twenti", "tea"}) == {2, 20}


def test_hundreds_of_sentences_and_long_passages_take_moments() -> None:
    long = passage("Pier number 7 of Lowick is long. " * 500)
    started = time.process_time()
    ground = Ground([long, *ENGLISH])
    for number in range(200):
        ground.support(f"Lowick harbour was built in {number} by Ada Merrow.")
    assert time.process_time() - started < 2
