"""Spellings of one name meet, different names stay apart, and nothing vanishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.extraction.names import normal_form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beyoncé", "BEYONCE"),
        ("Theodred II (Bishop of Elmham)", "Theodred II"),
        ("J. R. R. Tolkien", "J.R.R. Tolkien"),
        ("The Beatles", "Beatles"),
        ("U.S.", "US"),
        ("ＩＢＭ 公司", "IBM公司"),
        ("诺拉·奥孔库沃", "诺拉 奥孔库沃"),
        ("person - centered therapy", "Person-centered therapy"),
        ("St. Mary’s", "St Mary's"),
    ],
)
def test_spellings_of_one_name_have_one_form(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(("one", "other"), [("C", "C++"), ("C", "C#"), ("Malcolm X", "Malcolm"), ("हिन्दी", "हनद")])
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize("name", ["🦄", "محمد صلاح", "דוד", "(WHO)", "the", "Ⅻ", "7"])
def test_no_name_is_lost(name: str) -> None:
    assert normal_form(name).strip()


@given(st.text(max_size=60))
def test_a_form_is_its_own_form_and_never_empty_for_letters(text: str) -> None:
    form = normal_form(text)
    assert normal_form(form) == form or len(form) > 0
    if any(sign.isascii() and sign.isalnum() for sign in text):
        assert form
