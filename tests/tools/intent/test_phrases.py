from __future__ import annotations

import pytest

from tools.intent.phrases import MAX_CHARS, Phrase, PhraseTable, units_of


def _found(message: str, **phrases: str) -> list[str]:
    return PhraseTable([Phrase(source, name) for name, source in phrases.items()]).find(units_of(message))


def test_words_characters_and_clauses_are_units() -> None:
    assert units_of("Hi, don't 停机 v2!") == ["^", "hi", "$", "^", "do", "not", "停", "机", "v2", "$"]


@pytest.mark.parametrize("text", ["", "...", "  \n", "\x00", "ß"])
def test_a_message_without_words_has_only_a_beginning_and_an_end(text: str) -> None:
    assert set(units_of(text)) <= {"^", "$"}


def test_the_middle_of_a_long_message_is_left_out() -> None:
    assert len(units_of("one two " * 100_000)) <= MAX_CHARS
    assert units_of("why " + "x " * 10_000 + "end")[-2] == "end"


@pytest.mark.parametrize("text", ["12 * 7", "3+4", "what is 40 times 8", "15% of 300", "17乘以243", "10 / 4"])
def test_arithmetic_is_one_unit(text: str) -> None:
    assert "<sum>" in units_of(text)


@pytest.mark.parametrize("text", ["2021-03-04", "3x4 matrix", "page 12-14", "+49 30 1234"])
def test_dates_and_ranges_are_no_arithmetic(text: str) -> None:
    assert "<sum>" not in units_of(text)


def test_choices_may_be_nested_and_empty() -> None:
    phrases = {"hit": "how (much|many (more|) files)"}
    assert _found("how much", **phrases) == ["hit"]
    assert _found("how many files", **phrases) == ["hit"]
    assert _found("how many more files", **phrases) == ["hit"]
    assert _found("how many", **phrases) == []


def test_a_gap_stays_within_its_clause() -> None:
    assert _found("turn the small lamp off", hit="turn ~ off") == ["hit"]
    assert _found("turn left. the lamp is off", hit="turn ~ off") == []
    assert _found("turn one two three four five six seven eight nine off", hit="turn ~ off") == []


def test_the_longer_phrase_wins() -> None:
    assert _found("why not", short="why", long="why not") == ["long"]


def test_what_an_earlier_phrase_reaches_past_does_not_count() -> None:
    assert _found("no idea why it", outer="no idea why it", inner="idea why") == ["outer"]


def test_a_phrase_for_a_whole_clause_needs_all_of_it() -> None:
    assert _found("好的", hit="^ 好的 $") == ["hit"]
    assert _found("好的电池", hit="^ 好的 $") == []


def test_contractions_and_their_long_forms_are_the_same() -> None:
    assert _found("I'm sure you can’t", hit="i am sure you cannot") == ["hit"]


@pytest.mark.parametrize("source", ["", "(a|)", "~ a", "(b|) ~ a"])
def test_a_phrase_that_could_begin_anywhere_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="phrase must not"):
        PhraseTable([Phrase(source, "never")])
