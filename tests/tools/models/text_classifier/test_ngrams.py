"""Texts as hashes of n-grams."""

from __future__ import annotations

import pytest

from tools.models.text_classifier.ngrams import CHINESE, ENGLISH, MAX_CHARS, Ngrams


def count(ngrams: Ngrams, text: str) -> int:
    return len(ngrams.hashes(text)[0])


def test_every_different_ngram_has_a_hash_of_its_own() -> None:
    # " ab ": of one sign a, b; of two " a", "ab", "b "; of three " ab", "ab "; of four " ab ".
    assert count(Ngrams(chars=(1, 4)), "ab") == 2 + 3 + 2 + 1
    assert count(Ngrams(chars=(0, 0), words=(1, 2)), "one two three") == 3 + 2


def test_repeated_ngrams_are_counted_once_and_summed() -> None:
    hashes, counts = Ngrams(chars=(1, 1)).hashes("aab")
    assert sorted(counts.tolist()) == [1, 2]
    assert len(hashes) == 2


def test_an_ngram_is_the_same_wherever_it_stands() -> None:
    unigrams = Ngrams(chars=(2, 2))
    assert len(set(unigrams.hashes("xaby")[0].tolist()) & set(unigrams.hashes("qqabz")[0].tolist())) == 1


def test_within_words_no_ngram_reaches_over_a_gap() -> None:
    inside, over = Ngrams(chars=(3, 3), within_words=True), Ngrams(chars=(3, 3))
    assert count(inside, "ab cd") == 4
    assert count(over, "ab cd") == 5


def test_words_and_characters_never_share_a_hash() -> None:
    chars = set(Ngrams(chars=(1, 5), within_words=True).hashes("a bee")[0].tolist())
    words = set(Ngrams(chars=(0, 0), words=(1, 2)).hashes("a bee")[0].tolist())
    assert not chars & words


@pytest.mark.parametrize(
    ("one", "other"),
    [("Hello", "hello"), ("don’t", "don't"), ("ｗｉｄｅ", "wide"), ("a\u200bb", "ab"), ("call 15", "call 97")],
)
def test_texts_that_look_alike_are_alike(one: str, other: str) -> None:
    assert ENGLISH.normal_form(one) == ENGLISH.normal_form(other)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200b\u200d", "\x00"])
@pytest.mark.parametrize("ngrams", [ENGLISH, CHINESE, Ngrams((0, 0))])
def test_a_text_that_shows_nothing_has_no_ngrams(ngrams: Ngrams, text: str) -> None:
    assert count(ngrams, text) == 0


@pytest.mark.parametrize(
    "text", ["\ud83d", "😀" * 50_000, "ﷺ" * 100_000, "why " * 100_000, "为" * 100_000, "a好 \u202eb"]
)
def test_any_text_has_bounded_ngrams(text: str) -> None:
    for ngrams in (ENGLISH, CHINESE):
        assert count(ngrams, text) <= 8 * MAX_CHARS


def test_both_ends_of_a_long_text_are_read() -> None:
    text = "first " + "x " * 5_000 + "last"
    words = Ngrams(chars=(0, 0), words=(1, 1))
    known = set(words.hashes(text)[0].tolist())
    assert set(words.hashes("first last")[0].tolist()) <= known
