"""What needs no learning: dates, capitals, tokens."""

from __future__ import annotations

import pytest

from tools.knowledge.extraction.capitals import find_capitals
from tools.knowledge.extraction.dates import find_dates
from tools.knowledge.extraction.tokens import MAX_SENTENCE, MAX_TOKEN_CHARS, sentence_ranges, tokenise


@pytest.mark.parametrize(
    ("text", "language", "dates"),
    [
        ("born 14 November 2019 in Rome", "en", ["14 November 2019"]),
        ("on November 14, 2019, and in March 2021", "en", ["November 14, 2019", "March 2021"]),
        ("during the 1990s and in 1987", "en", ["1990s", "1987"]),
        ("at 14:30 on 2021-03-04", "en", ["14:30", "2021-03-04"]),
        ("in Q3 2023 after five years", "en", ["Q3 2023"]),
        ("a town of 1,850 people and 2000 inhabitants", "en", []),
        ("2016年4月，苏州；三月三日；20世纪80年代", "zh", ["2016年4月", "三月三日", "20世纪80年代"]),
        ("用了五年时间，共30个月", "zh", []),
    ],
)
def test_dates_are_found_and_durations_are_not(text: str, language: str, dates: list[str]) -> None:
    assert [text[start:end] for start, end in find_dates(text, language)] == dates


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("He moved to New York City with J. R. R. Tolkien.", ["New York City", "J. R. R. Tolkien"]),
        ("The Bank of the United States failed.", ["Bank of the United States"]),
        ("However, Ludwig van Beethoven met Charles de Gaulle.", ["Ludwig van Beethoven", "Charles de Gaulle"]),
        ("It was at St. Mary's Church near iPhone shops.", ["St. Mary's Church", "iPhone"]),
        ("Nothing to see here.", []),
        ("Anna's house and Bob's car.", ["Anna", "Bob"]),
    ],
)
def test_capitals_give_whole_names(text: str, names: list[str]) -> None:
    found = [text[start:end] for start, end in find_capitals(tokenise(text, "en"), text)]
    assert [name for name in found if name != "Nothing"] == names


def test_tokens_cover_all_but_white_space_in_order() -> None:
    text = "O'Neill’s 3rd-rate café, 1,200 km (U.S.) 🦄 中文mixed text\u0000."
    for language in ("en", "zh"):
        tokens = tokenise(text, language)
        assert "".join(token.text for token in tokens) == "".join(text.split())
        assert all(text[token.start : token.end] == token.text for token in tokens)


def test_endless_words_and_sentences_are_cut() -> None:
    tokens = tokenise("x" * 1000 + " word" * 500, "en")
    assert max(len(token.text) for token in tokens) == MAX_TOKEN_CHARS
    ranges = sentence_ranges(tokens, "x" * 1000 + " word" * 500)
    assert max(end - start for start, end in ranges) == MAX_SENTENCE
    assert ranges[0][0] == 0
    assert ranges[-1][1] == len(tokens)
