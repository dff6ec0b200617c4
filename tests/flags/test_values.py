"""What flags may be set to, and what is said about everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flags.errors import BadValue, UnknownFlag
from flags.values import FLAG_NAMES, flag_name, parse


@pytest.mark.parametrize("word", ["true", "1", "on", "yes", "TRUE", " On ", True])
def test_words_that_switch_on(word: object) -> None:
    assert parse("AB_TESTING_ENABLED", word) is True


@pytest.mark.parametrize("word", ["false", "0", "off", "no", "False", False, 0])
def test_words_that_switch_off(word: object) -> None:
    assert parse("AB_TESTING_ENABLED", word) is False


@pytest.mark.parametrize(("word", "engine"), [("graph", "langgraph"), ("LangGraph", "langgraph"), ("legacy", "legacy")])
def test_graph_is_another_word_for_langgraph(word: str, engine: str) -> None:
    assert parse("COORDINATOR_ENGINE", word) == engine


@pytest.mark.parametrize(
    ("text", "share"), [("0", 0.0), ("1", 1.0), ("0.1", 0.1), (".5", 0.5), ("1e-3", 0.001), (1, 1.0)]
)
def test_shares_are_numbers_from_nought_to_one(text: object, share: float) -> None:
    assert parse("AB_TRAFFIC_SPLIT", text) == share


@pytest.mark.parametrize(
    ("name", "raw", "nearest"),
    [
        ("COORDINATOR_ENGINE", "langgrpah", "langgraph"),
        ("COORDINATOR_ENGINE", "work-flow", "workflow"),
        ("ENABLE_ML_INTENT", "ture", "true"),
        ("KILL_SWITCH", "offf", "off"),
        ("AB_TRAFFIC_SPLIT", "10%", "0.1"),
        ("AB_TRAFFIC_SPLIT", "10", "0.1"),
        ("AB_TRAFFIC_SPLIT", "0,1", "0.1"),
        ("AB_TRAFFIC_SPLIT", "1.5", "1"),
        ("AB_TRAFFIC_SPLIT", "-0.2", "0"),
    ],
)
def test_a_bad_value_is_answered_with_the_nearest_good_one(name: str, raw: object, nearest: str) -> None:
    with pytest.raises(BadValue, match=name) as failure:
        parse(name, raw)
    assert str(failure.value).endswith(f"the nearest is {nearest}.")


@pytest.mark.parametrize("raw", ["nan", "inf", "half", "", "1_0", True, None, [0.1]])
def test_what_is_no_number_is_no_share(raw: object) -> None:
    with pytest.raises(BadValue):
        parse("AB_TRAFFIC_SPLIT", raw)


@given(st.sampled_from(sorted(FLAG_NAMES)), st.text("aeglorst01.,", max_size=12).map(lambda text: f"#{text}#"))
def test_a_bad_value_is_never_echoed(name: str, raw: str) -> None:
    with pytest.raises(BadValue) as failure:
        parse(name, raw)
    assert raw not in str(failure.value)


def test_flags_are_named_in_any_case_and_strangers_are_refused() -> None:
    assert flag_name("kill_switch") == "KILL_SWITCH"
    with pytest.raises(UnknownFlag, match="COORDINATOR_ENGINE"):
        flag_name("COORDINATR_ENGINE")
