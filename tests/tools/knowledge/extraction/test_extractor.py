"""The extractor over the shipped taggers: what it finds, that it is the same every time, and that no text breaks it."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.knowledge.extraction.extractor import MAX_CHARS, PassageExtractor, open_extractor
from tools.knowledge.extraction.names import normal_form
from tools.knowledge.extraction.protocol import ENTITY_TYPES, Extraction, Extractor
from tools.knowledge.extraction.spans import SpanFinder

OBAMA = "Barack Obama met Angela Merkel in Berlin in 2013. Obama then flew to Paris."


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return open_extractor()


def sound(text: str, found: Extraction) -> None:
    """What the protocol promises of every extraction."""
    read = text[:MAX_CHARS]
    for mention in found.mentions:
        assert 0 <= mention.start < mention.end <= len(read)
        assert mention.norm
        assert 0 <= mention.confidence <= 1
        assert mention.type in ENTITY_TYPES
    assert all(one.end <= other.start for one, other in pairwise(found.mentions))
    for relation in found.relations:
        assert relation.head != relation.tail
        assert 0 <= min(relation.head, relation.tail) <= max(relation.head, relation.tail) < len(found.mentions)
    assert all(alias.alias and alias.of and alias.alias != alias.of for alias in found.aliases)


def test_names_of_an_english_passage_come_out_typed(extractor: Extractor) -> None:
    found = extractor.extract(OBAMA, "", "", "en")
    kinds = {mention.text: mention.type for mention in found.mentions}
    assert kinds["Barack Obama"] == "person"
    assert kinds["Angela Merkel"] == "person"
    assert kinds["Berlin"] == "location"
    assert kinds["2013"] == "time"


def test_names_of_a_chinese_passage_come_out_typed(extractor: Extractor) -> None:
    text = "2016年4月，陆承泽在苏州读完了《红楼梦》。"
    found = extractor.extract(text, "", "", "zh")
    assert {(m.text, m.type) for m in found.mentions} >= {
        ("2016年4月", "time"),
        ("苏州", "location"),
        ("红楼梦", "work"),
    }


def test_a_short_name_goes_by_the_name_of_the_subject(extractor: Extractor) -> None:
    found = extractor.extract(f"{OBAMA} Barack Obama was an American politician.", "Barack Obama", "", "en")
    assert {m.norm for m in found.mentions if "Obama" in m.text} == {"barack obama"}


def test_a_name_nobody_taught_is_still_a_mention(extractor: Extractor) -> None:
    found = extractor.extract("In the hall, Zxqwv Grbltk of Vndrhm spoke to Mrs Qqlorn.", "", "", "en")
    assert "zxqwv" in " ".join(mention.norm for mention in found.mentions)


def test_without_taggers_rules_still_speak() -> None:
    found = PassageExtractor(SpanFinder({})).extract(OBAMA, "", "", "en")
    assert {"barack obama", "angela merkel", "berlin", "2013"} <= {mention.norm for mention in found.mentions}


def test_the_same_text_gives_the_same_extraction(extractor: Extractor) -> None:
    assert extractor.extract(OBAMA, "t", "h", "en") == open_extractor().extract(OBAMA, "t", "h", "en")


@pytest.mark.parametrize("language", ["en", "zh", "", "xx"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\x00",
        "🦄🦄 met 👩‍👩‍👧",
        "محمد صلاح لعب في ليفربول",
        "\ud800 lone \udfff",
        "((((",
        "《》",
        "《" * 300,
        ". " * 500,
        "ﬁ" * 50,
    ],
)
def test_no_text_breaks_it(extractor: Extractor, text: str, language: str) -> None:
    sound(text, extractor.extract(text, text, text, language))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["en", "zh"]))
def test_no_random_text_breaks_it(text: str, language: str) -> None:
    extractor = open_extractor_once()
    sound(text, extractor.extract(text, text[:40], text[40:80], language))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["Anna", "北京", "(", ")", "born", "also known as", "简称", "《", "》", "1999", ".", "of", "🦄", "\n"]
        )
    ),
    st.sampled_from(["en", "zh"]),
)
def test_no_shuffled_text_breaks_it(words: list[str], language: str) -> None:
    text = " ".join(words)
    sound(text, open_extractor_once().extract(text, "", "", language))


@pytest.mark.parametrize(
    "text", ["x" * 5_000_000, "Obama " * 100_000, "北京" * 500_000, "(" * 1_000_000, "Born " * 200_000]
)
def test_huge_texts_end_in_bounded_time(extractor: Extractor, text: str) -> None:
    started = time.process_time()
    found = extractor.extract(text, "Barack Obama", "", "zh" if "北" in text else "en")
    assert time.process_time() - started < 20
    sound(text, found)


def test_the_norm_of_a_mention_is_that_of_its_text(extractor: Extractor) -> None:
    for mention in extractor.extract("Ada Lovelace wrote to Charles Babbage in London.", "", "", "en").mentions:
        assert mention.norm == normal_form(mention.text)


_kept: list[Extractor] = []


def open_extractor_once() -> Extractor:
    """Hypothesis calls a test many times; weights are read once."""
    if not _kept:
        _kept.append(open_extractor())
    return _kept[0]
