"""What the gate lets through, when, and what it never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.safety.release import ReleaseGate


def through(gate: ReleaseGate, pieces: list[str]) -> list[str]:
    return [text for text in [*(gate.add(piece) for piece in pieces), gate.finish()] if text]


def test_whole_words_are_released_while_the_model_still_speaks() -> None:
    gate = ReleaseGate([])
    assert gate.add("Hel") == ""
    assert gate.add("lo wor") == "Hello "
    assert gate.add("ld.") == "world."


def test_chinese_is_released_character_by_character() -> None:
    gate = ReleaseGate([])
    assert gate.add("知") == "知"
    assert gate.add("音。") == "音。"


def test_a_marker_split_over_pieces_arrives_whole() -> None:
    gate = ReleaseGate(["1"])
    assert "".join(through(gate, ["It is so", " [", "1", "]."])) == "It is so [1]."


@pytest.mark.parametrize("marker", ["[2]", "[0]", "[99]"])
def test_a_marker_that_leads_nowhere_is_dropped(marker: str) -> None:
    gate = ReleaseGate(["1"])
    assert "".join(through(gate, ["A fact ", marker, " stands [1]."])) == "A fact stands [1]."


def test_brackets_are_left_alone_when_nothing_can_be_cited() -> None:
    gate = ReleaseGate([])
    assert "".join(through(gate, ["x[", "3", "] = 1"])) == "x[3] = 1"


def test_a_run_without_breaks_is_not_held_for_ever() -> None:
    gate = ReleaseGate([])
    assert gate.add("a" * 200) == "a" * 200


@given(st.lists(st.text(alphabet="ab 1[]。知\n", max_size=8), max_size=20))
def test_without_labels_the_text_is_unchanged_however_it_is_cut(pieces: list[str]) -> None:
    gate = ReleaseGate([])
    assert "".join(through(gate, pieces)) == "".join(pieces) == gate.released


@given(st.text(alphabet="ab 12[]。\n", max_size=40), st.integers(1, 5))
def test_the_way_it_is_cut_changes_nothing(text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join(through(ReleaseGate(["1"]), pieces)) == "".join(through(ReleaseGate(["1"]), [text]))
