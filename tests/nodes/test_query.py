from __future__ import annotations

from nodes.query import MAX_QUERY_CHARS, query_of


def test_a_message_is_looked_up_as_it_is() -> None:
    assert query_of("x" * MAX_QUERY_CHARS) == "x" * MAX_QUERY_CHARS
    assert query_of("") == ""


def test_a_long_message_is_looked_up_by_both_of_its_ends() -> None:
    query = query_of(f"When was it built? {'filler ' * 5_000}And by whom?")
    assert len(query) == MAX_QUERY_CHARS
    assert query.startswith("When was it built?")
    assert query.endswith("And by whom?")
