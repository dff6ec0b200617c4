"""The split: shares, stickiness, growth, and the same answer in every process."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time

import pytest

from flags.decision import choose_coordinator, place_in_line
from flags.snapshot import Decision, FlagSnapshot

USERS = [f"user-{number}" for number in range(10_000)]


def split(share: float) -> FlagSnapshot:
    return FlagSnapshot(coordinator_engine="langgraph", ab_testing_enabled=True, ab_traffic_split=share)


def treated(share: float) -> set[str]:
    flags = split(share)
    return {user for user in USERS if choose_coordinator(flags, user).variant == "treatment"}


@pytest.mark.parametrize(("share", "least", "most"), [(0.1, 900, 1_100), (0.5, 4_800, 5_200)])
def test_the_split_is_what_was_asked_for(share: float, least: int, most: int) -> None:
    assert least <= len(treated(share)) <= most


def test_a_growing_share_only_adds_users() -> None:
    shares = [treated(step / 20) for step in range(21)]
    assert shares[0] == set()
    assert shares[-1] == set(USERS)
    assert all(smaller < larger for smaller, larger in itertools.pairwise(shares))


def test_a_user_keeps_its_variant_in_every_process() -> None:
    program = "from flags.decision import place_in_line\nprint([place_in_line(f'user-{n}') < 0.5 for n in range(500)])"
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    here = treated(0.5)
    assert elsewhere.strip() == str([user in here for user in USERS[:500]])


def test_places_are_uniform_and_below_one() -> None:
    tenths = [0] * 10
    for user in USERS:
        tenths[int(place_in_line(user) * 10)] += 1
    chi_square = sum((count - 1_000) ** 2 / 1_000 for count in tenths)
    assert chi_square < 27.9  # 0.999 quantile, 9 degrees of freedom


def test_any_text_is_a_targeting_key() -> None:
    assert choose_coordinator(split(0.5), "张三").reason == "SPLIT"
    assert choose_coordinator(split(0.5), "\ud800").reason == "SPLIT"
    assert choose_coordinator(split(0.5), "").reason == "SPLIT"


def test_without_a_split_everybody_gets_the_engine() -> None:
    flags = FlagSnapshot(coordinator_engine="workflow", ab_traffic_split=0.5)
    assert choose_coordinator(flags, "u") == Decision(engine="workflow", variant="workflow", reason="STATIC")


def test_each_arm_names_its_engine() -> None:
    flags = split(0.5).model_copy(update={"ab_control_engine": "workflow"})
    engines = {choose_coordinator(flags, user).variant: choose_coordinator(flags, user).engine for user in USERS[:50]}
    assert engines == {"treatment": "langgraph", "control": "workflow"}


def test_the_kill_switch_gives_everybody_legacy() -> None:
    flags = split(1.0).model_copy(update={"kill_switch": True, "ab_control_engine": "workflow"})
    decisions = {choose_coordinator(flags, user) for user in USERS[:50]}
    assert decisions == {Decision(engine="legacy", variant="legacy", reason="DISABLED")}


def test_a_decision_costs_microseconds() -> None:
    flags, best = split(0.1), 1.0
    for _ in range(5):
        started = time.process_time()
        for user in USERS[:1_000]:
            choose_coordinator(flags, user)
        best = min(best, (time.process_time() - started) / 1_000)
    assert best < 60e-6
