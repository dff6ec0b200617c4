"""The flags through OpenFeature's own client."""

from __future__ import annotations

import time
from typing import Any

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.hook import Hook, HookContext, HookHints

from flags.decision import choose_coordinator
from flags.provider import CoordinatorFlag
from flags.snapshot import FlagSnapshot

SPLIT = FlagSnapshot(ab_testing_enabled=True, ab_traffic_split=0.5)


def test_openfeature_decides_as_the_rule_does() -> None:
    flag = CoordinatorFlag(lambda: SPLIT)
    for number in range(200):
        assert flag.decide(f"user-{number}") == choose_coordinator(SPLIT, f"user-{number}")


def test_the_newest_snapshot_counts() -> None:
    now = [FlagSnapshot(coordinator_engine="legacy")]
    flag = CoordinatorFlag(lambda: now[0])
    assert flag.decide("u").engine == "legacy"
    now[0] = FlagSnapshot(coordinator_engine="workflow")
    assert flag.decide("u").engine == "workflow"


def test_two_apps_in_one_process_keep_their_own_flags() -> None:
    first = CoordinatorFlag(lambda: FlagSnapshot(coordinator_engine="legacy"))
    second = CoordinatorFlag(lambda: FlagSnapshot(coordinator_engine="workflow"))
    assert (first.decide("u").engine, second.decide("u").engine) == ("legacy", "workflow")


def test_every_flag_is_served_in_its_type() -> None:
    client = CoordinatorFlag(lambda: SPLIT).client
    assert client.get_boolean_value("ab_testing_enabled", False) is True
    assert client.get_float_value("ab_traffic_split", 0.0) == 0.5
    assert client.get_string_value("ab_control_engine", "") == "legacy"
    assert client.get_string_details("coordinator", "", EvaluationContext("u")).reason == "SPLIT"


def test_unknown_flags_and_wrong_types_give_the_default_and_say_why() -> None:
    client = CoordinatorFlag(lambda: SPLIT).client
    unknown = client.get_boolean_details("enable_everything", True)
    assert (unknown.value, unknown.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)
    wrong = client.get_integer_details("ab_traffic_split", 7)
    assert (wrong.value, wrong.error_code) == (7, ErrorCode.TYPE_MISMATCH)
    structured = client.get_object_details("ab_traffic_split", {"a": 1})
    assert (structured.value, structured.error_code) == ({"a": 1}, ErrorCode.TYPE_MISMATCH)


class Breaking(Hook):
    """A hook that fails before every evaluation."""

    def before(self, hook_context: HookContext, hints: HookHints) -> EvaluationContext | None:
        raise RuntimeError("broken hook")


def test_a_broken_hook_falls_back_to_legacy(caplog: pytest.LogCaptureFixture) -> None:
    flag = CoordinatorFlag(lambda: SPLIT)
    flag.client.add_hooks([Breaking()])
    decision = flag.decide("u")
    assert (decision.engine, decision.variant, decision.reason) == ("legacy", "legacy", "ERROR")


def test_hooks_see_the_provider_by_name() -> None:
    seen: list[Any] = []

    class Watching(Hook):
        def after(self, hook_context: HookContext, details: Any, hints: HookHints) -> None:
            seen.append((hook_context.provider_metadata, details.variant))

    flag = CoordinatorFlag(lambda: FlagSnapshot())
    flag.client.add_hooks([Watching()])
    flag.decide("u")
    assert [(metadata.name, variant) for metadata, variant in seen] == [("zhiyin", "langgraph")]


def test_a_decision_through_openfeature_costs_less_than_sixty_microseconds() -> None:
    flag, best = CoordinatorFlag(lambda: SPLIT), 1.0
    for _ in range(5):
        started = time.process_time()
        for number in range(1_000):
            flag.decide(f"user-{number}")
        best = min(best, (time.process_time() - started) / 1_000)
    assert best < 60e-6


def test_the_default_client_of_the_process_is_left_alone() -> None:
    CoordinatorFlag(lambda: SPLIT)
    assert api.get_client().get_string_value("coordinator", "nothing") == "nothing"
