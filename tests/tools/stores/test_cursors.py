"""Cursors lead back to the key they were made of, and to nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import InvalidInput
from tools.stores import cursors

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXT, st.integers(0, 2**63 - 1))
def test_a_cursor_carries_its_key_through_a_url(text: str, number: int) -> None:
    cursor = cursors.encode(text, number)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")
    assert cursors.decode(cursor, str, int) == [text, number]


@given(st.text(max_size=60))
def test_whatever_a_client_sends_is_a_key_or_invalid_input(text: str) -> None:
    try:
        key = cursors.decode(text, str, int)
    except InvalidInput:
        return
    assert [type(value) for value in key] == [str, int]


@pytest.mark.parametrize("cursor", [cursors.encode(True), cursors.encode("1"), cursors.encode(1, 1), "W1tbW1tb"])
def test_a_key_of_another_shape_is_invalid_input(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        cursors.decode(cursor, int)
