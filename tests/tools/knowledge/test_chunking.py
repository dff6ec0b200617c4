"""Chunks are verbatim, bounded, never cut a sentence that fits, and know where they stand."""

from __future__ import annotations

import re
import string
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.knowledge.chunking import DEFAULT_SIZE, Chunk, chunk, columns, unwrapped
from tools.knowledge.parsed import HeadingSpan, PageSpan, ParsedDocument

ENGLISH = "The committee met in the spring and agreed on the plan for the harbour wall. "
CHINESE = "委员会在春天开会，并就海港围墙的计划达成一致。"


def marked_down(text: str) -> ParsedDocument:
    """A document whose headings are the lines with `#`."""
    lines = re.finditer(r"(?m)^(#+) (.*)$", text)
    return ParsedDocument("t", text, headings=[HeadingSpan(m.start(), m.end(), len(m[1]), m[2]) for m in lines])


def plain(text: str) -> ParsedDocument:
    return ParsedDocument("t", text)


def paged(*pages: str) -> ParsedDocument:
    spans, text = [], ""
    for number, page in enumerate(pages, 1):
        start = len(text) + (2 if text and page else 0)
        text += ("\n\n" if text and page else "") + page
        spans.append(PageSpan(number, start, len(text)))
    return ParsedDocument("t", text, spans)


def check(document: ParsedDocument, size: int, overlap: int) -> list[Chunk]:
    """Chunk, and hold the result against everything that is promised for any text."""
    chunks = chunk(document, size, overlap)
    for piece in chunks:
        assert piece.text == document.text[piece.start : piece.end]
        assert piece.text == piece.text.strip() != ""
        assert columns(re.sub(r"\s+", "", piece.text)) <= size
    starts = [piece.start for piece in chunks]
    assert starts == sorted(set(starts))
    return chunks


def test_a_column_is_half_a_chinese_character() -> None:
    assert columns("abc") == 3
    assert columns("中文，ok") == 8
    assert columns("café") == 4


def test_the_default_size_holds_50_to_150_words_in_both_languages() -> None:
    english = check(plain(ENGLISH * 40), DEFAULT_SIZE, 0)
    assert all(50 <= len(piece.text.split()) <= 150 for piece in english[:-1])
    chinese = check(plain(CHINESE * 40), DEFAULT_SIZE, 0)
    assert all(100 <= len(piece.text) <= 256 for piece in chinese[:-1])


def test_a_short_document_is_one_chunk_with_its_headings() -> None:
    text = "# One\n\nFirst.\n\n## Two\n\nSecond.\n"
    (only,) = check(marked_down(text), 512, 50)
    assert only.text == "First.\n\n## Two\n\nSecond."
    assert only.heading == "One"


def test_no_sentence_that_fits_is_cut() -> None:
    text = " ".join(f"Sentence number {n} was said by Dr. Smith, e.g. at 3.5 p.m. in spring." for n in range(60))
    for piece in check(plain(text), 200, 50):
        assert piece.text.startswith("Sentence number")
        assert piece.text.endswith("in spring.")


def test_no_chinese_sentence_that_fits_is_cut() -> None:
    text = "".join(f"第{n}句话是“好的。”他说完就走了！" for n in range(60))
    for piece in check(plain(text), 100, 0):
        assert piece.text.startswith("第") or piece.text.startswith("他说")
        assert piece.text[-1] in "”！"


def test_a_sentence_longer_than_a_chunk_is_cut_at_a_clause() -> None:
    text = ", ".join(["a clause of some length"] * 40) + "."
    pieces = check(plain(text), 128, 50)
    assert len(pieces) > 5
    assert all(piece.text.endswith(",") for piece in pieces[:-1])


def test_text_without_any_boundary_is_cut_anyway() -> None:
    pieces = check(plain("x" * 1000 + "长" * 1000), 128, 50)
    assert "".join(piece.text for piece in pieces) == "x" * 1000 + "长" * 1000


def test_paragraphs_are_kept_whole_where_they_fit() -> None:
    paragraph = ENGLISH.strip() + " " + ENGLISH.strip()
    for piece in check(plain("\n\n".join([paragraph] * 20)), 400, 0):
        assert set(piece.text.split("\n\n")) == {paragraph}


def test_a_section_begins_a_chunk_and_carries_its_path() -> None:
    text = f"# Guide\n\n{ENGLISH * 4}\n\n## Install\n\n{ENGLISH * 4}\n\n## Use\n\n### 日常\n\n{ENGLISH * 4}\n"
    pieces = check(marked_down(text), 320, 50)
    assert [piece.heading for piece in pieces] == ["Guide", "Guide > Install", "Guide > Use > 日常"]
    assert all(piece.text == (ENGLISH * 4).strip() for piece in pieces)


def test_tiny_sections_share_a_chunk_and_lose_no_heading() -> None:
    text = "# FAQ\n\n" + "\n\n".join(f"## Question {n}?\n\nAnswer {n}." for n in range(40))
    pieces = check(marked_down(text), 256, 50)
    assert len(pieces) < 20
    everything = "\n".join(f"{piece.heading}\n{piece.text}" for piece in pieces)
    assert all(f"Question {n}?" in everything and f"Answer {n}." in everything for n in range(40))


def test_a_heading_with_nothing_under_it_can_still_be_found() -> None:
    (only,) = check(marked_down("# Alone"), 512, 50)
    assert only.text == "# Alone"
    text = f"# Empty\n\n# Full\n\n{ENGLISH * 30}"
    assert "# Empty" in check(marked_down(text), 256, 0)[0].text


def test_a_chunk_never_crosses_pages() -> None:
    document = paged("One. " * 10, "", "A sentence that goes on\n" + ENGLISH * 10, "End.")
    pieces = check(document, 300, 50)
    for piece in pieces:
        assert piece.page is not None
        page = document.pages[piece.page - 1]
        assert page.start <= piece.start < piece.end <= page.end
    assert {piece.page for piece in pieces} == {1, 3, 4}


def test_wrapped_lines_stay_together_and_listed_ones_come_apart() -> None:
    wrapped = "This line was wrapped by the editor that wrote it\nand goes on here, in the middle of a sentence. "
    assert all(piece.text.endswith("sentence.") for piece in check(plain(wrapped * 20), 240, 0))
    listed = "\n".join(f"- an item of the list, number {n}" for n in range(60))
    assert all(piece.text.startswith("- an") for piece in check(plain(listed), 120, 0))


def test_neighbours_share_whole_sentences_up_to_the_overlap() -> None:
    sentences = [f"Short sentence {n}." for n in range(100)]
    pieces = check(plain(" ".join(sentences)), 200, 60)
    for one, two in pairwise(pieces):
        shared = one.text[two.start - one.start :]
        assert 0 < columns(shared) <= 63
        assert shared.startswith("Short sentence")
    apart = check(plain(" ".join(sentences)), 200, 0)
    assert all(one.end < two.start for one, two in pairwise(apart))


def test_sections_and_pages_share_nothing() -> None:
    text = "\n\n".join(f"## S{n}\n\n" + "Short one. " * 12 for n in range(10))
    pieces = check(marked_down(text), 150, 60)
    assert all(one.end < two.start for one, two in pairwise(pieces))


ALPHABET = string.ascii_letters + "  \n\n.,;:!?。，；！？“”()-#1234567890中文字长句\t\u3000é😀"


@settings(max_examples=150, deadline=None)
@given(st.text(ALPHABET, max_size=600), st.integers(32, 200), st.data())
def test_every_word_of_any_text_is_in_a_chunk(text: str, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    pieces = check(plain(text), size, overlap)
    covered = [False] * len(text)
    for piece in pieces:
        covered[piece.start : piece.end] = [True] * (piece.end - piece.start)
    assert all(covered[place] or character.isspace() for place, character in enumerate(text))


@pytest.mark.parametrize("text", [".", "。”", "\n", "1.\n", "x"])
def test_odd_texts_take_time_in_proportion_to_their_length(text: str) -> None:
    def cost(length: int) -> float:
        document = plain(text * (length // len(text)))
        started = time.thread_time()
        chunk(document)
        return time.thread_time() - started

    cost(1_000)
    assert cost(320_000) < 24 * max(cost(40_000), 0.02)  # eight times the text; by its square it would be 64


def test_wraps_are_undone_for_search() -> None:
    assert unwrapped("海港\n围墙 is\n  long\n的") == "海港围墙 is long 的"
