"""Which names are slips of the finger, and which are somebody else's."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import KNOWN_NAMES
from flags.names import closest, edits

NAMES = st.text("ABE_", max_size=8)


@pytest.mark.parametrize(
    ("left", "right", "count"),
    [("", "", 0), ("A", "", 1), ("KITTEN", "SITTING", 3), ("SPLIT", "SPILT", 1), ("PORT", "PORTS", 1)],
)
def test_edits_counts_what_a_typist_did(left: str, right: str, count: int) -> None:
    assert edits(left, right, 5) == count


@given(NAMES, NAMES)
def test_edits_are_symmetric_and_zero_only_for_equals(left: str, right: str) -> None:
    assert edits(left, right, 9) == edits(right, left, 9)
    assert (edits(left, right, 9) == 0) == (left == right)


@given(NAMES, NAMES, st.integers(0, 4))
def test_a_limit_cuts_the_count_and_changes_nothing_below_it(left: str, right: str, most: int) -> None:
    assert min(edits(left, right, most), most + 1) == min(edits(left, right, 9), most + 1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("COORDINATR_ENGINE", "COORDINATOR_ENGINE"),
        ("coordinatr_engine", "COORDINATOR_ENGINE"),
        ("COORDINATORENGINE", "COORDINATOR_ENGINE"),
        ("AB_TRAFIC_SPLIT", "AB_TRAFFIC_SPLIT"),
        ("AB_TEST_ENABLED", "AB_TESTING_ENABLED"),
        ("PERFORMANCE_MONITOR", "PERFORMANCE_MONITORING"),
        ("OPENAI_BASEURL", "OPENAI_BASE_URL"),
        ("LOG_LEVLE", "LOG_LEVEL"),
        ("REDIS_URI", "REDIS_URL"),
    ],
)
def test_a_misspelt_line_is_known_for_what_it_meant(written: str, meant: str) -> None:
    assert KNOWN_NAMES.misspelt(written) == meant


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "PORT1", "HOME", "HOST", "HOSTNAME", "LANG", "LOGNAME", "PYTHONPATH", "MY_COMPANY_REGION"),
        *("REDIS_TTL", "REDIS_SSL", "POSTGRES_POOL_SIZE", "OPENAI_API_KEY_2", "JWT_SECRET_OLD"),
        *("COORDINATOR_ENGINE", "MILVUS_TOKEN"),
    ],
)
def test_known_names_and_strangers_are_let_pass(name: str) -> None:
    assert KNOWN_NAMES.misspelt(name) is None
    assert KNOWN_NAMES.misspelt_in_environment(name) is None


def test_in_the_process_environment_only_our_own_names_can_be_misspelt() -> None:
    assert KNOWN_NAMES.misspelt_in_environment("COORDINATR_ENGINE") == "COORDINATOR_ENGINE"
    assert KNOWN_NAMES.misspelt_in_environment("JWT_SECRTE") == "JWT_SECRET"
    for innocent in ("OPENAI_MODELS", "REDIS_URI", "LOGLEVEL", "DATADIR"):
        assert KNOWN_NAMES.misspelt_in_environment(innocent) is None


def test_the_environment_of_this_very_machine_is_innocent() -> None:
    assert [name for name in os.environ if KNOWN_NAMES.misspelt_in_environment(name)] == []


def test_closest_finds_nothing_where_nothing_is_like() -> None:
    assert closest("zzzz", ["legacy", "workflow"]) is None
    assert closest("Legcay", ["legacy", "workflow"]) == "legacy"
